"""Accounts and sessions as the pages see them."""

from dataclasses import dataclass
from datetime import datetime

from foundation.actor import Actor
from foundation.errors import BadData, Refused


class SignInRefused(Refused):
    """Name or password is wrong, or the person is disabled; which one is not said."""

    code = "sign_in_refused"


class AccountLocked(Refused):
    """Too many failures; facts: until."""

    code = "account_locked"


class UsernameTaken(Refused):
    """Another account has this name."""

    code = "username_taken"


class PasswordTooWeak(BadData):
    """A password needs at least so many characters; facts: least."""

    code = "password_too_weak"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who sits at a browser."""

    sign_in_id: int
    account_id: int
    actor: Actor
    language: str
    theme: str


@dataclass(frozen=True, slots=True)
class AccountCard:
    """An account on the staff page."""

    person_id: int
    username: str
    locked_until: datetime | None
