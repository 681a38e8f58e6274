"""Where a meter hangs."""

from metering.network.actions import (
    add_area,
    add_feeder,
    add_point,
    add_substation,
    new_point,
    protect_point,
)
from metering.network.queries import (
    area_by_no,
    area_ids_of_feeder,
    area_places,
    boxes,
    feeders,
    find_areas,
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
    "boxes",
    "feeders",
    "find_areas",
    "new_point",
    "point_places",
    "protect_point",
    "tree",
]
