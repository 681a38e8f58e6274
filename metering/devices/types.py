"""Terminals and meters, as others see them."""

from dataclasses import dataclass
from datetime import datetime

from foundation.errors import Refused
from metering.network.types import Supply

FLEET_CHANNEL = "metering_fleet"  # NOTIFY: which part of the fleet changed; see `fleet_part`


def fleet_part(site: str, shard: int) -> str:
    """Name a part of the fleet in a notice; an empty notice means all of it."""
    return f"{shard}/{site}"


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

    @property
    def address(self) -> str:
        """Name the connection."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class MeterCard:
    """A meter with its point and, if it has one, its terminal.

    Attributes:
        last_ok_at: when it last answered, asked by the timetable or by a person.
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

    @property
    def multiplier(self) -> int:
        """Give the 倍率, CT ratio times PT ratio."""
        return self.ct * self.pt
