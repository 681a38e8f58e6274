"""Where things stand, in words: metering's place and the customer there, for any list."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from customers.api.archive import supply_cards
from customers.api.types import SupplyCard
from metering.api.devices import meter_cards
from metering.api.network import area_places, point_places
from metering.api.types import AreaPlace, MeterCard, PointPlace


@dataclass(frozen=True, slots=True)
class Place:
    """One place: a point with its meter and customer, or a whole transformer area."""

    meter: MeterCard | None = None
    point: PointPlace | None = None
    area: AreaPlace | None = None
    supply: SupplyCard | None = None

    @property
    def number(self) -> str:
        """Give the number people say: the meter's, or the area's."""
        if self.meter is not None:
            return self.meter.meter_no
        return self.area.area_no if self.area else "—"

    @property
    def name(self) -> str:
        """Give who or what is there."""
        if self.supply is not None:
            return self.supply.customer_name
        return self.area.area_name if self.area else ""

    @property
    def area_text(self) -> str:
        """Give transformer area and feeder."""
        where = self.point or self.area
        return f"{where.area_name} · {where.feeder_name} {where.feeder_no}" if where else ""

    @property
    def text(self) -> str:
        """Give the place in one line."""
        parts = (self.number, self.name, self.supply.address if self.supply else "")
        return " · ".join(part for part in parts if part)


class Places:
    """The places of a list, looked up in as many queries as there are kinds of facts."""

    def __init__(
        self,
        points: Mapping[int, PointPlace],
        areas: Mapping[int, AreaPlace],
        meters: Mapping[int, MeterCard],
        supplies: Mapping[int, SupplyCard],
    ) -> None:
        self._points, self._areas = points, areas
        self._meters, self._supplies = meters, supplies

    def of(self, point_id: int | None, area_id: int | None = None) -> Place:
        """Give the place of a point, or of an area if there is no point."""
        if point_id is not None and point_id in self._points:
            return Place(
                meter=self._meters.get(point_id),
                point=self._points[point_id],
                supply=self._supplies.get(point_id),
            )
        return Place(area=self._areas.get(area_id) if area_id is not None else None)


def places_of(
    session: Session, points: Collection[int | None], areas: Collection[int | None] = ()
) -> Places:
    """Look up the places of a list: four queries, however long it is."""
    wanted = [one for one in points if one is not None]
    wanted_areas = [one for one in areas if one is not None]
    return Places(
        point_places(session, wanted),
        area_places(session, wanted_areas),
        meter_cards(session, wanted),
        supply_cards(session, wanted),
    )
