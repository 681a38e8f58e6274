"""The packaged rules of call-backs, checked."""

from functools import cache
from importlib import resources

from callcenter.callbacks.types import CallbackRules
from foundation.datafiles import build, load_toml


@cache
def callback_rules() -> CallbackRules:
    """Read callbacks.toml.

    Raises:
        DataFileRefused: it says something unknown or leaves something out.
    """
    file = resources.files("callcenter.callbacks") / "callbacks.toml"
    return build(CallbackRules, load_toml(file), where="callbacks.toml")
