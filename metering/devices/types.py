"""Terminals and meters, as others see them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from foundation.errors import BadData, LostRace, Refused
from metering.network.types import Supply

FLEET_CHANNEL = "metering_fleet"  # NOTIFY: which part of the fleet changed; see `fleet_part`


def fleet_part(site: str, shard: int) -> str:
    """Name a part of the fleet in a notice; an empty notice means all of it."""
    return f"{shard}/{site}"


class Framing(StrEnum):
    """How a connection frames its requests; the words are the link's."""

    MBAP = "mbap"  # Modbus TCP
    RTU = "rtu"  # RTU frames with CRC, carried over TCP by a transparent gateway
    TLS = "tls"  # Modbus TCP inside TLS
    SERIAL = "serial"  # RTU frames on a serial line of the poller's machine


@dataclass(frozen=True, slots=True)
class Manner:
    """How a connection is talked to, the same for all terminals behind it.

    Attributes:
        depth: requests its gateway takes at a time, 1 to 16.
        line: how a serial line is set, as `9600-8E1`; empty for all others.
    """

    framing: Framing = Framing.MBAP
    depth: int = 1
    line: str = ""

    def __str__(self) -> str:
        """Say it in short: `mbap`, `mbap 4`, `serial 9600-8E1`."""
        more = self.line or (str(self.depth) if self.depth > 1 else "")
        return f"{self.framing} {more}".strip()


class MannerWrong(BadData):
    """A connection cannot be talked to like this; facts: why, said.

    why: framing, depth, line, device (a serial line has a device file, all others a host).
    """

    code = "manner_wrong"


class MeterNoTaken(Refused):
    """Another meter has this number."""

    code = "meter_no_taken"


class PointOccupied(Refused):
    """A meter already stands at this point; facts: meter_no."""

    code = "point_occupied"


class MeterGone(Refused):
    """This meter was removed; facts: meter_no, at."""

    code = "meter_gone"


class StockMeterTaken(Refused):
    """No such meter lies in stock, or another case has drawn it; facts: meter_no, drawn_for."""

    code = "stock_meter_taken"


class StockMeterUnfit(Refused):
    """The meter cannot measure this supply; facts: meter_no, supply."""

    code = "stock_meter_unfit"


@dataclass(frozen=True, slots=True)
class StockMeterCard:
    """A meter in stock, with the terminal that comes with it."""

    meter_no: str
    supply: Supply
    terminal_no: str | None
    address: str | None
    rated_a: int
    unit_id: int | None
    drawn_for: str | None
    installed_at: datetime | None


@dataclass(frozen=True, slots=True)
class PollTarget:
    """One terminal as the poller asks it.

    Attributes:
        rated_a: basic current on the meter's side of the CT [A].
        register_wh: where its registers go back to zero [Wh, primary]; None if never.
        failed_rounds: rounds it has not answered, when the fleet was loaded.
        depth: requests its gateway takes at a time.
        line: how its serial line is set; empty for all others.
    """

    terminal_id: int
    terminal_no: str
    host: str
    port: int
    unit: int
    profile: str
    interval_s: int
    meter_id: int
    meter_no: str
    ct: int
    pt: int
    supply: Supply
    rated_a: int = 5
    register_wh: int | None = None
    shard: int = 0
    failed_rounds: int = 0
    framing: Framing = Framing.MBAP
    depth: int = 1
    line: str = ""

    @property
    def address(self) -> str:
        """Name the connection."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class MeterCard:
    """A meter with its point and, if it has one, its terminal.

    Attributes:
        last_ok_at: when it last answered, asked by the timetable or by a person.
        in_service: whether its terminal is asked at all; None without one.
    """

    meter_id: int
    meter_no: str
    point_id: int
    point_no: str
    area_id: int
    box_no: str
    supply: Supply
    ct: int
    pt: int
    installed_at: datetime
    terminal_id: int | None
    terminal_no: str | None
    profile: str | None
    address: str | None
    interval_s: int | None
    last_ok_at: datetime | None
    silent_since: datetime | None
    last_error: str | None
    in_service: bool | None

    @property
    def multiplier(self) -> int:
        """Give the 倍率, CT ratio times PT ratio."""
        return self.ct * self.pt


@dataclass(frozen=True, slots=True)
class TerminalCard:
    """A terminal with the meter behind it, if there is one.

    Attributes:
        last_ok_at: when its meter was last read, by the timetable or by a person.
        failed_rounds: rounds in a row it has not answered, as last told.
    """

    terminal_id: int
    terminal_no: str
    profile: str
    host: str
    port: int
    unit: int
    interval_s: int
    own_interval: bool
    site: str
    shard: int
    in_service: bool
    failed_rounds: int
    silent_since: datetime | None
    last_error: str | None
    meter_id: int | None
    meter_no: str | None
    point_id: int | None
    last_ok_at: datetime | None

    @property
    def address(self) -> str:
        """Name the connection."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class FittedMeter:
    """A meter that stands, or stood, behind a terminal."""

    meter_id: int
    meter_no: str
    point_no: str
    installed_at: datetime
    removed_at: datetime | None


class ImportState(StrEnum):
    """Where a list of devices stands."""

    CHECKED = "checked"  # looked at, nothing written
    WRITTEN = "written"


class ImportDone(LostRace):
    """This list was written before; facts: by, at."""

    code = "import_done"


class ImportEmpty(BadData):
    """A list has nothing to write: every row is known already, or wrong."""

    code = "import_empty"


class ImportOvertaken(Refused):
    """Somebody fitted one of the devices of a list while it was written."""

    code = "import_overtaken"


class ImportUnreadable(BadData):
    """A list of devices cannot be read at all; facts: why, what."""

    code = "import_unreadable"


class RowVerdict(StrEnum):
    """What becomes of a row of a list of devices."""

    NEW = "new"
    KNOWN = "known"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with a row: a stable code, and the facts its sentence needs."""

    column: str
    code: str
    facts: dict[str, str]


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One row of a list of devices, read and plausible in itself.

    Attributes:
        line: in the file, from 1.
        port: 0 on a serial line.
        interval_s: an interval of the terminal's own [s]; None: by the class of the point.
        manner: of its connection; None: as those behind it are, Modbus TCP if there are none.
        inherits: another row of the list said the manner; what stands already outweighs it.
    """

    line: int
    area_no: str
    point_no: str
    box_no: str
    supply: Supply
    meter_no: str
    ct: int
    pt: int
    terminal_no: str
    profile: str
    host: str
    port: int
    unit: int
    interval_s: int | None
    manner: Manner | None = None
    inherits: bool = False


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """A row as the dry run judges it.

    Attributes:
        adds: what writing it would add: point, meter, terminal.
    """

    line: int
    said: dict[str, str]
    verdict: RowVerdict
    adds: tuple[str, ...]
    problems: tuple[RowProblem, ...]


@dataclass(frozen=True, slots=True)
class ImportCard:
    """A list of devices, and what came of it."""

    id: int
    file_name: str
    state: ImportState
    sent_by: str
    sent_at: datetime
    rows: int
    written_by: str | None
    written_at: datetime | None
    written: dict[str, int] | None
