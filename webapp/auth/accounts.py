"""Signing in and out: Argon2id, sessions on the server, a lock after repeated failures."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor
from foundation.audit import Act, record
from foundation.db import rows_as
from foundation.errors import NotFound
from foundation.settings import settings
from foundation.staff.queries import actor_of
from webapp.auth.models import Account, SignIn
from webapp.auth.types import (
    AccountCard,
    AccountLocked,
    PasswordTooWeak,
    SignedIn,
    SignInRefused,
    UsernameTaken,
)
from webapp.lockout import count_failure, locked_until

SIGNED_IN = Act.of("auth.signed_in", "address")
SIGNED_OUT = Act.of("auth.signed_out")
FAILED = Act.of("auth.failed", "address", "failures", "locked")
PASSWORD_SET = Act.of("auth.password_set")

LEAST_PASSWORD = 10
_SEEN_EVERY = timedelta(minutes=1)
_hasher = PasswordHasher()
_NOBODY = _hasher.hash(secrets.token_hex(16))


def set_password(
    session: Session, actor: Actor, person_id: int, *, username: str, password: str
) -> None:
    """Give a person an account, or a new password; every session of theirs ends.

    Raises:
        PasswordTooWeak: it is too short.
        UsernameTaken: another person signs in with this name.
    """
    if len(password) < LEAST_PASSWORD:
        raise PasswordTooWeak(least=LEAST_PASSWORD)
    holder = session.scalar(select(Account.person_id).where(Account.username == username))
    if holder is not None and holder != person_id:
        raise UsernameTaken(username=username)
    account = session.scalar(select(Account).where(Account.person_id == person_id))
    if account is None:
        account = Account(person_id=person_id, username=username, password_hash="")
        session.add(account)
    account.username = username
    account.password_hash = _hasher.hash(password)
    account.failures, account.locked_until = 0, None
    session.flush()
    end_sessions(session, person_id)
    record(session, actor, PASSWORD_SET, subject=("account", username))


def sign_in(
    session: Session, *, username: str, password: str, address: str, browser: str
) -> str | SignInRefused | AccountLocked:
    """Check a sign-in; give the token for the cookie, or the refusal.

    A refusal is returned, not raised: the failure it counts must be committed.

    Args:
        session: the caller's transaction.
        username: as typed.
        password: as typed.
        address: of the browser.
        browser: its User-Agent.
    """
    now = clock.now()
    account = session.scalar(
        select(Account).where(Account.username == username.strip()).with_for_update()
    )
    locked = account.locked_until if account else locked_until(session, _nobody(username))
    if locked and locked > now:
        return AccountLocked(until=locked)
    if not _fits(account.password_hash if account else _NOBODY, password) or account is None:
        return _count_failure(session, account, username, address)
    actor = actor_of(session, account.person_id)
    if actor is None:
        return _count_failure(session, account, username, address)
    if _hasher.check_needs_rehash(account.password_hash):
        account.password_hash = _hasher.hash(password)
    account.failures, account.locked_until = 0, None
    token = secrets.token_urlsafe(32)
    session.add(
        SignIn(
            token_hash=_hash(token),
            account_id=account.id,
            started_at=now,
            seen_at=now,
            address=address,
            browser=browser[:200],
        )
    )
    record(session, actor, SIGNED_IN, subject=("account", account.username), address=address)
    return token


def _fits(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except VerificationError:
        return False


def _count_failure(
    session: Session, account: Account | None, username: str, address: str
) -> SignInRefused | AccountLocked:
    if account is None:
        return _count_nobody(session, username)
    account.failures += 1
    locked = account.failures >= settings().lock_after
    if locked:
        account.failures = 0
        account.locked_until = clock.now() + timedelta(minutes=settings().lock_minutes)
    record(
        session,
        Actor.system("sign-in"),
        FAILED,
        subject=("account", account.username),
        address=address,
        failures=account.failures,
        locked=locked,
    )
    if account.locked_until and locked:
        return AccountLocked(until=account.locked_until)
    return SignInRefused()


def _nobody(username: str) -> str:
    """Under which key failures in a name that nobody has are counted."""
    return f"name:{_hash(username.strip()).hex()}"


def _count_nobody(session: Session, username: str) -> SignInRefused | AccountLocked:
    """Treat a name nobody has as one that somebody has: a lock must not tell them apart."""
    lasting = timedelta(minutes=settings().lock_minutes)
    count_failure(session, _nobody(username), most=settings().lock_after, lasting=lasting)
    until = locked_until(session, _nobody(username))
    return AccountLocked(until=until) if until else SignInRefused()


def who_is(session: Session, token: str) -> SignedIn | None:
    """Give who holds a token; None when the session has ended or the person is disabled."""
    now = clock.now()
    row = session.execute(
        select(
            SignIn.id,
            SignIn.seen_at,
            Account.id,
            Account.person_id,
            Account.language,
            Account.theme,
        )
        .join(Account, Account.id == SignIn.account_id)
        .where(
            SignIn.token_hash == _hash(token),
            SignIn.ended_at.is_(None),
            SignIn.seen_at > now - timedelta(hours=settings().session_hours),
        )
    ).first()
    if row is None:
        return None
    sign_in_id, seen_at, account_id, person_id, language, theme = row
    actor = actor_of(session, person_id)
    if actor is None:
        return None
    if seen_at < now - _SEEN_EVERY:
        _note_seen(session, sign_in_id)
    return SignedIn(sign_in_id, account_id, actor, language, theme)


def _note_seen(session: Session, sign_in_id: int) -> None:
    """Note that somebody is there; if another request of theirs does so just now, leave it to that.

    That one may go on for long, a visit to a terminal say, and must not hold up the others.
    """
    free = select(SignIn.id).where(SignIn.id == sign_in_id).with_for_update(skip_locked=True)
    session.execute(
        update(SignIn).where(SignIn.id == free.scalar_subquery()).values(seen_at=clock.now())
    )


def sign_out(session: Session, actor: Actor, sign_in_id: int) -> None:
    """End one session."""
    session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(ended_at=clock.now()))
    record(session, actor, SIGNED_OUT, subject=("account", actor.staff_no))


def end_sessions(session: Session, person_id: int) -> None:
    """End every session of a person."""
    accounts = select(Account.id).where(Account.person_id == person_id)
    session.execute(
        update(SignIn)
        .where(SignIn.account_id.in_(accounts), SignIn.ended_at.is_(None))
        .values(ended_at=clock.now())
    )


def choose(
    session: Session, account_id: int, *, language: str | None = None, theme: str | None = None
) -> None:
    """Remember how a person likes the portal."""
    account = session.get(Account, account_id)
    if account is None:
        raise NotFound(what="account", id=account_id)
    account.language = language or account.language
    account.theme = theme or account.theme


def account_cards(session: Session, person_ids: Collection[int]) -> dict[int, AccountCard]:
    """Give the accounts of several persons."""
    cards = rows_as(
        AccountCard,
        session,
        select(Account.person_id, Account.username, Account.locked_until).where(
            Account.person_id.in_(person_ids)
        ),
    )
    return {card.person_id: card for card in cards}


def person_of(session: Session, username: str) -> int | None:
    """Give who signs in with a name."""
    return session.scalar(select(Account.person_id).where(Account.username == username))


def has_account(session: Session, username: str) -> bool:
    """Whether somebody signs in with this name."""
    return session.scalar(select(Account.id).where(Account.username == username)) is not None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
