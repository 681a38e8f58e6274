"""The error tree; rooms subclass these with a stable code of their own.

    GridhallError
    ├── NotFound      what was asked for does not exist, or may not be seen
    ├── Refused       the request is understood and not allowed now
    │   ├── LostRace  somebody else changed it first; the facts say who and when
    │   └── NotAllowed  this actor may not do it
    ├── Unreachable   something we depend on does not answer (a terminal, the database)
    └── BadData       what came in cannot be used as it is

An error carries a `code` and `facts`; the portal turns both into a sentence in the user's language.
"""

from typing import ClassVar


class GridhallError(Exception):
    """The root: a stable code, and the facts a sentence about it needs."""

    code: ClassVar[str] = "error"

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        said = ", ".join(f"{name}={value!r}" for name, value in facts.items())
        super().__init__(f"{self.code}: {said}" if said else self.code)


class NotFound(GridhallError):
    """What was asked for does not exist, or this actor may not see it."""

    code = "not_found"


class Refused(GridhallError):
    """The request is understood and not allowed in this state."""

    code = "refused"


class LostRace(Refused):
    """Somebody else changed the record first; facts: by, at."""

    code = "lost_race"


class NotAllowed(Refused):
    """This actor lacks the role for it."""

    code = "not_allowed"


class Unreachable(GridhallError):
    """Something we depend on does not answer."""

    code = "unreachable"


class BadData(GridhallError):
    """What came in cannot be used; facts name the field and what was expected."""

    code = "bad_data"
