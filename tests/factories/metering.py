"""The least of a network, a meter, a reading."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

from sqlalchemy.orm import Session

from metering.devices.actions import add_terminal, install_meter
from metering.network.actions import add_area, add_feeder, add_point, add_substation
from metering.network.types import AreaClass, Supply
from metering.readings.actions import ensure_days, store
from metering.readings.types import NewReading, Quality, Source
from tests.factories import foundation

_NUMBERS = count(1)
LONG_AGO = datetime(2024, 3, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A meter at a point."""

    meter_id: int
    meter_no: str
    point_id: int
    area_id: int
    area_no: str
    unit_id: int
    terminal_id: int | None


def area(session: Session, *, area_class: AreaClass = AreaClass.URBAN) -> tuple[int, str, int]:
    """Give a transformer area: row, number, department."""
    number = next(_NUMBERS)
    unit_id = foundation.unit(session)
    station = add_substation(session, "试验变")
    feeder = add_feeder(
        session, f"F9{number}", name="试验线", substation_id=station, unit_id=unit_id
    )
    area_no = f"TG-9{number:03d}"
    row = add_area(
        session,
        area_no,
        name="试验 1 号公变",
        feeder_id=feeder,
        rated_kva=400,
        area_class=area_class,
    )
    return row, area_no, unit_id


def meter(
    session: Session,
    *,
    supply: Supply = Supply.SINGLE_220,
    place: tuple[int, str, int] | None = None,
    port: int | None = None,
    unit: int | None = None,
    profile: str | None = None,
    ct: int = 1,
    pt: int = 1,
    box_no: str = "B-9-01",
) -> Fitted:
    """Fit a meter; with a terminal if a profile is named."""
    number = next(_NUMBERS)
    area_id, area_no, unit_id = place or area(session)
    point_id = add_point(session, f"P-9{number:05d}", area_id=area_id, box_no=box_no, supply=supply)
    terminal_id = None
    if profile is not None:
        terminal_id = add_terminal(
            session,
            f"ZD-9{number:05d}",
            profile=profile,
            host="127.0.0.1",
            port=port or 10_000 + number,
            unit=unit or 1,
            interval_s=60,
        )
    meter_no = f"M-9{number:05d}"
    meter_id = install_meter(
        session,
        meter_no,
        point_id=point_id,
        terminal_id=terminal_id,
        installed_at=LONG_AGO,
        ct=ct,
        pt=pt,
    )
    return Fitted(meter_id, meter_no, point_id, area_id, area_no, unit_id, terminal_id)


def reading(
    meter_id: int,
    ts: datetime,
    *,
    quality: Quality = Quality.GOOD,
    inputs: int | None = None,
    **values: float | None,
) -> NewReading:
    """Give a reading; what is not said is unknown."""
    return NewReading(
        ts=ts,
        meter_id=meter_id,
        read_off_s=3,
        quality=quality,
        source=Source.POLL,
        values=dict(values),
        inputs=inputs,
    )


def stored(session: Session, *readings: NewReading) -> int:
    """Store readings, their days' partitions made."""
    days = [one.ts.astimezone(UTC).date() for one in readings]
    ensure_days(session, min(days), max(days))
    return store(session, readings)
