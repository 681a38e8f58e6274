"""A data file that says something unknown, or names no source, is refused."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import pytest

from foundation.datafiles import DataFileRefused, build, load_toml


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Part:
    share: Decimal

    def __post_init__(self) -> None:
        if self.share > 1:
            raise ValueError("more than the whole")


@dataclass(frozen=True)
class Whole:
    source: str
    count: int
    colour: Colour = Colour.RED
    kind: Literal["a", "b"] = "a"
    parts: dict[str, Part] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    flag: bool = False
    note: str | None = None
    number: int | str = 0
    anything: Any = None
    one: Part | None = None


LEAST: dict[str, Any] = {"source": "a test", "count": 1}


def why(**content: object) -> str:
    with pytest.raises(DataFileRefused) as refused:
        build(Whole, LEAST | content, where="t.toml")
    return str(refused.value.facts["why"])


def test_a_table_becomes_a_frozen_value() -> None:
    content = LEAST | {
        "colour": "red",
        "kind": "b",
        "parts": {"x": {"share": 1}, "y": {"share": Decimal("0.5")}},
        "words": ["a", "b"],
        "flag": True,
        "note": "n",
        "number": "seven",
        "anything": {"as": ["it", "is"]},
        "one": {"share": 0},
    }
    made = build(Whole, content, where="t.toml")
    assert made.colour is Colour.RED
    assert made.parts == {"x": Part(Decimal(1)), "y": Part(Decimal("0.5"))}
    assert made.words == ("a", "b")
    assert (made.flag, made.note, made.number, made.one) == (True, "n", "seven", Part(Decimal(0)))
    assert made.anything == {"as": ["it", "is"]}


def test_what_may_be_left_out_takes_its_default() -> None:
    assert build(Whole, LEAST, where="t.toml") == Whole("a test", 1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"colr": "red"}, "unknown key 'colr'"),
        ({"count": "one"}, "'one' is no int"),
        ({"count": True}, "True is no int"),
        ({"colour": "green"}, "'green' is not a valid Colour"),
        ({"kind": "c"}, "'c' is none of ['a', 'b']"),
        ({"parts": ["x"]}, "a table is expected"),
        ({"parts": {"x": 1}}, "a table is expected"),
        ({"parts": {"x": {"share": True}}}, "True is no Decimal"),
        ({"parts": {"x": {"share": 2}}}, "more than the whole"),
        ({"parts": {"x": {}}}, "key 'share' is missing"),
        ({"words": "a"}, "a list is expected"),
        ({"words": [1]}, "1 is no str"),
        ({"flag": 1}, "1 is no bool"),
        ({"one": 1}, "a table is expected"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(content: dict[str, Any], said: str) -> None:
    assert why(**content) == said


def test_a_missing_key_is_named() -> None:
    with pytest.raises(DataFileRefused, match="key 'count' is missing"):
        build(Whole, {"source": "a test"}, where="t.toml")


def test_numbers_with_a_point_are_exact(tmp_path: Path) -> None:
    file = tmp_path / "t.toml"
    file.write_text('source = "a test"\nlow = -0.07\n', encoding="utf-8")
    assert load_toml(file)["low"] == Decimal("-0.07")


@pytest.mark.parametrize(
    ("text", "said"),
    [("count = 1", "names no source"), ('source = " "', "names no source"), ("=", "Invalid")],
)
def test_a_file_that_is_no_toml_or_names_no_source_is_refused(
    tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "t.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataFileRefused, match=said):
        load_toml(file)
