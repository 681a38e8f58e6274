"""The shelf of profiles (规约库): what stands on it, and why a text is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from foundation.errors import BadData, LostRace, NotFound, Refused
from metering.modbus.link import Framing
from metering.modbus.probe import Fit, PointSeen, Probed
from metering.modbus.quantities import QUANTITIES

SHOWN = 5
"""So many terminals of a connection a refusal names."""
TAKES = ("shift", "order")
"""What of a trial can be taken over into the text."""
UNIT = {"1": "", "bit": ""}


class ProfileUnknown(NotFound):
    """There is no profile of this name; facts: name."""

    code = "profile_unknown"


class ProfileWrong(BadData):
    """A profile's text is wrong; facts: line (counted from 1, 0 if it is of no line), why."""

    code = "profile_wrong"


class ProfileNameTaken(Refused):
    """Another profile has this name; facts: name."""

    code = "profile_name_taken"


class ProfilePackaged(Refused):
    """A packaged profile is not changed, it is copied; facts: name."""

    code = "profile_packaged"


class ProfileChanged(LostRace):
    """Somebody else saved this profile since it was opened; facts: by, at."""

    code = "profile_changed"


class TakeOverRefused(Refused):
    """An offset or word order cannot be put into this text by machine."""

    code = "take_over_refused"


class HostUnknown(BadData):
    """No address belongs to this name; facts: host."""

    code = "host_unknown"


class AddressNotAllowed(Refused):
    """The office does not look at devices in this network; facts: host."""

    code = "address_not_allowed"


def in_short(numbers: Sequence[str]) -> list[str]:
    """Give the first of many numbers, and how many more there are."""
    more = len(numbers) - SHOWN
    return [*numbers[:SHOWN], *([f"+ {more}"] if more > 0 else [])]


class ConnectionOwned(Refused):
    """A poller owns the connection to this address; facts: address, terminals."""

    code = "connection_owned"


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """One profile as the list shows it; a broken one has a problem and little else.

    Attributes:
        confidence: A, B, C or invented; empty if it is broken.
        problem: why it cannot be used, and in which line; None if it can.
    """

    name: str
    is_own: bool
    title_zh: str = ""
    title_en: str = ""
    maker: str = ""
    source: str = ""
    confidence: str = ""
    points: int = 0
    phases: int = 0
    extends: str = ""
    terminals: int = 0
    problem: ProfileWrong | None = None


@dataclass(frozen=True, slots=True)
class ProfileVersion:
    """An earlier text of a profile.

    Attributes:
        version: from 1.
        at, by, note: of its saving; None and "" if the audit knows nothing of it.
    """

    version: int
    at: datetime | None = None
    by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ProfileText:
    """A profile as it is written.

    Attributes:
        digest: of the text, to tell whether somebody changed it meanwhile; empty if packaged.
        earlier: the texts it had before, newest first.
    """

    row: ProfileRow
    text: str
    digest: str
    earlier: tuple[ProfileVersion, ...] = ()


FRAMINGS: tuple[Framing, ...] = ("mbap", "rtu", "tls")
"""How a page may look; a serial line is looked at on its machine, by `gridhall profiles probe`."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What to try on which device.

    Attributes:
        framing: None finds it.
        pt, ct: ratios [1].
        despite_owner: whether to open a second connection where a poller has one.
    """

    name: str
    text: str
    host: str
    port: int
    unit: int
    framing: Framing | None = None
    pt: Decimal = Decimal(1)
    ct: Decimal = Decimal(1)
    despite_owner: bool = False


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One point of a trial: as the profile is written, and as the best fit reads it.

    Attributes:
        unit: in which the values are; empty if they have none.
        written, best: None where nothing was read with it.
    """

    quantity: str
    unit: str
    written: PointSeen | None
    best: PointSeen | None


@dataclass(frozen=True, slots=True)
class TrialSeen:
    """What a trial gave.

    Attributes:
        written: the fit of the profile as it is written; None if nothing was read.
        best: the best of all offsets and orders; may be the same.
    """

    probed: Probed
    written: Fit | None
    best: Fit | None

    @property
    def rows(self) -> list[TrialRow]:
        """Give the points side by side, in the order of the profile."""
        written = {one.point.quantity: one for one in self.written.points} if self.written else {}
        best = {one.point.quantity: one for one in self.best.points} if self.best else {}
        return [
            TrialRow(
                name,
                UNIT.get(QUANTITIES[name].unit, QUANTITIES[name].unit),
                written.get(name),
                best.get(name),
            )
            for name in {**written, **best}
        ]

    @property
    def takes(self) -> tuple[Literal["shift", "order"], ...]:
        """Name what could be taken over from the best fit."""
        if self.best is None or self.best is self.written:
            return ()
        shift: tuple[Literal["shift", "order"], ...] = ("shift",) if self.best.shift else ()
        return (*shift, "order") if self.best.order else shift
