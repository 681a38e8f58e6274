"""The packaged practice of forecasting, checked."""

from functools import cache
from importlib import resources

from foundation.datafiles import build, load_toml
from loadmgmt.forecast.types import ForecastRules


@cache
def load_practice() -> ForecastRules:
    """Read forecast.toml.

    Raises:
        DataFileRefused: it says something unknown or leaves something out.
    """
    file = resources.files("loadmgmt.forecast") / "forecast.toml"
    return build(ForecastRules, load_toml(file), where="forecast.toml")
