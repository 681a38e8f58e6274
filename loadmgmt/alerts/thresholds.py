"""The packaged thresholds, checked."""

from functools import cache
from importlib import resources

from foundation.datafiles import build, load_toml
from loadmgmt.alerts.types import Thresholds


@cache
def load_thresholds() -> Thresholds:
    """Read thresholds.toml.

    Raises:
        DataFileRefused: it says something unknown or leaves something out.
    """
    file = resources.files("loadmgmt.alerts") / "thresholds.toml"
    return build(Thresholds, load_toml(file), where="thresholds.toml")
