"""The packaged rules of switching, checked once."""

from functools import cache
from importlib import resources

from foundation.datafiles import build, load_toml
from metering.requests.rules import Switching


@cache
def switching() -> Switching:
    """Give the rules of switching."""
    file = resources.files("metering.requests") / "switching.toml"
    return build(Switching, load_toml(file), where="switching.toml")
