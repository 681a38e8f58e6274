"""A domain error as one sentence in the user's language that says what to do."""

from datetime import datetime
from functools import cache
from pathlib import Path

from foundation.clock import office_zone
from foundation.errors import GridhallError
from webapp.texts import Texts

_WORDS = {
    "status": ("status.ticket.", "status.application."),
    "step": ("status.ticket.", "status.application."),
    "state": ("status.alert.", "status.outage."),
    "target": ("status.alert.", "status.outage."),
    "move": ("move.", "app.move."),
    "agent_state": ("status.agent.",),
    "callback_state": ("callbacks.state.",),
    "outcome": ("call.outcome.",),
    "reason": ("app.pause.",),
    "desk": ("desk.",),
}
"""Facts that are stored words: where their texts stand."""


@cache
def texts() -> Texts:
    """Load the catalogues, once."""
    return Texts.load(Path(__file__).parent / "translations")


def sentence(error: GridhallError, lang: str = "en") -> str:
    """Say an error; one that has no sentence of its own is said by its kind.

    Args:
        error: code and facts.
        lang: zh-CN or en.
    """
    facts = {name: _said(name, value, lang) for name, value in error.facts.items()}
    facts.setdefault("id", "")
    facts.setdefault("n", len(getattr(error, "problems", ())))
    codes = [error.code, *(str(getattr(kind, "code", "")) for kind in type(error).__mro__)]
    keys = [f"error.{error.code}.{error.facts.get('why')}", *(f"error.{code}" for code in codes)]
    key = next((key for key in keys if texts().has(key)), "error.error")
    return texts().t(lang, key, **facts)


def _said(name: str, value: object, lang: str) -> object:
    if isinstance(value, datetime):
        return f"{value.astimezone(office_zone()):%H:%M}"
    for stem in _WORDS.get(name, ()):
        if texts().has(f"{stem}{value}"):
            return texts().t(lang, f"{stem}{value}")
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
