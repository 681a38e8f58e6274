"""The demo town's network, meters and history; running it twice changes nothing.

A substation, five 10 kV feeders, twenty public transformer areas of forty-eight points and
a row of factories: about a thousand points, two hundred of them with a terminal that the
simulator answers for. Histories are what those terminals would have shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor
from foundation.settings import settings
from foundation.staff.queries import units
from metering.devices.actions import add_terminal, install_meter
from metering.devices.models import Meter
from metering.devices.stock import add_stock_meter
from metering.network.actions import add_area, add_feeder, add_point, add_substation
from metering.network.types import AreaClass, Supply
from metering.simulation.history import daily_history, quarter_history
from metering.simulation.models import SimulatedMeter, SimulatedStock

HOST = "127.0.0.1"
POINTS_PER_AREA, POINTS_PER_BOX = 48, 12
CENTURY = datetime(2024, 3, 1, tzinfo=UTC)

FEEDERS = {
    # number: name, its estates, class of the area
    "F03": ("云杉线", ("云杉里", "青禾苑"), AreaClass.URBAN),
    "F05": ("海棠线", ("海棠苑", "学府里"), AreaClass.URBAN),
    "F07": ("梧桐线", ("梧桐里", "湖滨里"), AreaClass.URBAN),
    "F11": ("银杏线", ("银杏村", "白果坪"), AreaClass.RURAL),
    "F14": ("学府线", (), AreaClass.URBAN),
}
FACTORIES = (
    # name stands in the archive; here: rated kVA, CT ratio, metered at 10 kV
    (630, 200, False), (800, 240, False), (315, 120, False), (1250, 20, True),
    (500, 160, False), (1600, 30, True), (400, 120, False), (630, 200, False),
    (1000, 15, True), (315, 120, False), (800, 240, False), (500, 160, False),
)  # fmt: skip
STORE_PORT = 90  # behind the ports of the transformer areas
STORE = (
    *[("青禾供电所", Supply.SINGLE_220)] * 28,
    *[("白果坪供电所", Supply.SINGLE_220)] * 8,
    *[("青禾供电所", Supply.THREE_380)] * 4,
)
"""Meters on the shelf: whose store, and what they can measure."""
READ_PER_AREA = 9
"""Points of a public area that have a terminal: five homes, two larger homes, two shops."""


@dataclass(frozen=True, slots=True)
class _Meter:
    """One meter of the town."""

    area_no: str
    serial: int
    supply: Supply
    curve: Literal["home", "shop", "factory"]
    peak_w: float
    profile: str | None
    port: int = 0
    unit: int = 0
    ct: int = 1
    pt: int = 1

    @property
    def code(self) -> str:
        """Give area and serial: 0712-0031."""
        return f"{self.area_no[3:]}-{self.serial:04d}"

    @property
    def box_no(self) -> str:
        """Give the meter box."""
        return f"B-{self.area_no[3:]}-{(self.serial - 1) // POINTS_PER_BOX + 1:02d}"


def build(session: Session, actor: Actor) -> None:
    """Build the network, fit the meters, write their history up to now."""
    unit_id = {unit.name_zh: unit.id for unit in units(session)}
    station = add_substation(session, "110 kV 青禾变")
    areas: dict[str, int] = {}
    for feeder_no, (name, estates, area_class) in FEEDERS.items():
        owner = unit_id["白果坪供电所" if area_class is AreaClass.RURAL else "青禾供电所"]
        feeder_id = add_feeder(session, feeder_no, name=name, substation_id=station, unit_id=owner)
        for area_no, area_name, kva in _areas(feeder_no, estates):
            areas[area_no] = add_area(
                session,
                area_no,
                name=area_name,
                feeder_id=feeder_id,
                rated_kva=kva,
                area_class=area_class,
            )
    known = set(session.scalars(select(Meter.meter_no)))
    fresh = [one for one in _meters(areas) if f"M-{one.code}" not in known]
    for one in fresh:
        _fit(session, one, areas[one.area_no])
    _fill_store(session, unit_id)
    _write_history(session)


def _areas(feeder_no: str, estates: tuple[str, ...]) -> Iterator[tuple[str, str, int]]:
    number = feeder_no[1:]
    if not estates:
        for index, (kva, _, _) in enumerate(FACTORIES, start=1):
            yield f"TG-{number}{index:02d}", f"学府路 {index} 号专变", kva
        return
    for place, estate in enumerate(estates):
        for index in (1, 2, 3) if place == 0 else (1, 2):
            yield f"TG-{number}{place * 10 + index:02d}", f"{estate} {index} 号公变", 400


def _meters(areas: dict[str, int]) -> Iterator[_Meter]:
    port = settings().demo_port
    for area_no in areas:
        port += 1
        if area_no.startswith("TG-14"):
            yield _factory(area_no, int(area_no[5:]), port)
        else:
            yield from _public(area_no, port)


def _factory(area_no: str, index: int, port: int) -> _Meter:
    kva, ct, high = FACTORIES[index - 1]
    return _Meter(
        area_no,
        1,
        Supply.THREE_10KV if high else Supply.THREE_380,
        "factory",
        kva * 620.0,
        "acrel_adl400",
        port,
        1,
        ct,
        100 if high else 1,
    )


def _public(area_no: str, port: int) -> Iterator[_Meter]:
    for serial in range(1, POINTS_PER_AREA + 1):
        read = serial <= READ_PER_AREA
        shop = serial in {8, 9} or serial > POINTS_PER_AREA - 4
        three = shop or serial in {6, 7}
        profile = None
        if read:
            profile = {6: "eastron_sdm630", 7: "demo_terminal", 8: "demo_terminal"}.get(
                serial, "eastron_sdm630" if shop else "demo_single"
            )
        yield _Meter(
            area_no,
            serial,
            Supply.THREE_380 if three else Supply.SINGLE_220,
            "shop" if shop else "home",
            18_000.0 if shop else 14_000.0 if three else 4_000.0 + 300.0 * (serial % 7),
            profile,
            port,
            serial,
            6 if serial == 8 else 1,
        )


def _fit(session: Session, one: _Meter, area_id: int) -> None:
    point_id = add_point(
        session, f"P-{one.code}", area_id=area_id, box_no=one.box_no, supply=one.supply
    )
    terminal_id = None
    if one.profile is not None:
        terminal_id = add_terminal(
            session,
            f"ZD-{one.code}",
            profile=one.profile,
            host=HOST,
            port=one.port,
            unit=one.unit,
            interval_s=settings().demo_interval_s,
        )
    meter_id = install_meter(
        session,
        f"M-{one.code}",
        point_id=point_id,
        terminal_id=terminal_id,
        installed_at=CENTURY,
        ct=one.ct,
        pt=one.pt,
    )
    session.execute(
        insert(SimulatedMeter).values(
            meter_id=meter_id, curve=one.curve, seed=meter_id, peak_w=one.peak_w
        )
    )


def _fill_store(session: Session, unit_id: dict[str, int]) -> None:
    """Put spare meters with their terminals on the shelf, ready to be fitted."""
    port = settings().demo_port + STORE_PORT
    for serial, (store, supply) in enumerate(STORE, start=1):
        terminal_id = add_terminal(
            session,
            f"ZD-9{serial:03d}",
            profile="demo_single" if supply is Supply.SINGLE_220 else "eastron_sdm630",
            host=HOST,
            port=port,
            unit=serial,
            interval_s=settings().demo_interval_s,
            in_service=False,
        )
        stock_id = add_stock_meter(
            session,
            f"M-9{serial // 100:03d}-{serial:04d}",
            supply=supply,
            terminal_id=terminal_id,
            unit_id=unit_id[store],
        )
        session.execute(
            insert(SimulatedStock)
            .values(stock_id=stock_id, curve="home", seed=9000 + serial, peak_w=5_200.0)
            .on_conflict_do_nothing()
        )


def _write_history(session: Session) -> None:
    now = clock.now()
    quarter_history(session, now, back=timedelta(days=7))
    daily_history(session, clock.business_date(now), days=90)
