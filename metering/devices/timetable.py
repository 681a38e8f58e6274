"""The packaged timetable, checked."""

from functools import cache
from importlib import resources

from foundation.datafiles import build, load_toml
from metering.devices.rules import Timetable


@cache
def load_timetable() -> Timetable:
    """Read timetable.toml.

    Raises:
        DataFileRefused: it says something unknown or leaves something out.
    """
    file = resources.files("metering.devices") / "timetable.toml"
    return build(Timetable, load_toml(file), where="timetable.toml")
