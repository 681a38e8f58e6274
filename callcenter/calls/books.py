"""The packaged figures of the operators' desk, checked."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib import resources

from foundation.datafiles import build, load_toml


@dataclass(frozen=True, slots=True)
class DeskRules:
    """What desk.toml says."""

    source: str
    wrap_up_s: int
    repeat_hours: int
    unfinished_hours: int

    @property
    def wrap_up(self) -> timedelta:
        """Give how long a wrap-up may take."""
        return timedelta(seconds=self.wrap_up_s)


@cache
def desk_rules() -> DeskRules:
    """Read desk.toml.

    Raises:
        DataFileRefused: it says something unknown or leaves something out.
    """
    return build(
        DeskRules, load_toml(resources.files("callcenter.calls") / "desk.toml"), where="desk.toml"
    )
