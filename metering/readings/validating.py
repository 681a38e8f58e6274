"""The packaged limits of plausibility, checked."""

from functools import cache
from importlib import resources

from foundation.datafiles import build, load_toml
from metering.readings.rules.validation import Validation


@cache
def load_validation() -> Validation:
    """Read validation.toml.

    Raises:
        DataFileRefused: it says something unknown or leaves something out.
    """
    file = resources.files("metering.readings") / "validation.toml"
    return build(Validation, load_toml(file), where="validation.toml")
