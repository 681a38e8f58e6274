"""The packaged rules of outages, checked."""

from functools import cache
from importlib import resources

from foundation.datafiles import build, load_toml
from loadmgmt.outages.types import OutageRules


@cache
def outage_rules() -> OutageRules:
    """Read outages.toml.

    Raises:
        DataFileRefused: it says something unknown or leaves something out.
    """
    file = resources.files("loadmgmt.outages") / "outages.toml"
    return build(OutageRules, load_toml(file), where="outages.toml")
