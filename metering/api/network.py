"""Where a meter hangs."""

from metering.network.actions import add_area, add_feeder, add_point, add_substation
from metering.network.queries import (
    area_by_no,
    area_ids_of_feeder,
    area_places,
    point_places,
    tree,
)

__all__ = [
    "add_area",
    "add_feeder",
    "add_point",
    "add_substation",
    "area_by_no",
    "area_ids_of_feeder",
    "area_places",
    "point_places",
    "tree",
]
