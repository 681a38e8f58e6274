"""Forms: every problem is said at once, and what is right is kept clean."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.datafiles import DataFileRefused
from foundation.flow.forms import Field, Form, FormBook, FormRefused, load_forms

BOOK = """
source = "a test"
[forms.all.fields.name]
kind = "text"
required = true
longest = 5
[forms.all.fields.story]
kind = "long_text"
[forms.all.fields.cause]
kind = "choice"
required = true
choices = ["storm", "tree"]
[forms.all.fields.measures]
kind = "checks"
choices = ["earthed", "signs"]
[forms.all.fields.load]
kind = "number"
unit = "kW"
least = 0
most = 10.5
[forms.all.fields.day]
kind = "date"
[forms.all.fields.crew_id]
kind = "crew"
[forms.safe.fields.measures]
kind = "checks"
required = true
choices = ["earthed", "signs"]
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> FormBook:
    file = tmp_path_factory.mktemp("forms") / "forms.toml"
    file.write_text(BOOK, encoding="utf-8")
    return load_forms(file)


KINDS = {
    "name": Field("text", required=True, longest=5),
    "story": Field("long_text"),
    "cause": Field("choice", choices=("storm",)),
    "load": Field("number"),
    "day": Field("date"),
    "crew_id": Field("crew"),
}
LEAST = {"name": "甲", "cause": "tree"}


def said(book: FormBook, **raw: object) -> dict[str, str]:
    with pytest.raises(FormRefused) as refused:
        book.check("all", LEAST | raw)
    return refused.value.problems


def test_what_is_right_comes_back_clean(book: FormBook) -> None:
    raw = {
        "name": " 甲乙 ",
        "story": "long",
        "cause": "tree",
        "measures": ["signs", "earthed"],
        "load": "1,0.50",
        "day": "2026-06-18",
        "crew_id": "7",
        "unasked": "dropped",
    }
    assert book.check("all", raw) == {
        "name": "甲乙",
        "story": "long",
        "cause": "tree",
        "measures": ["earthed", "signs"],
        "load": "10.50",
        "day": "2026-06-18",
        "crew_id": 7,
    }


def test_every_problem_is_said_at_once(book: FormBook) -> None:
    with pytest.raises(FormRefused) as refused:
        book.check("all", {"cause": "flood", "load": "much", "day": "soon"})
    assert refused.value.problems == {
        "name": "required",
        "cause": "choice",
        "load": "number",
        "day": "date",
    }
    assert refused.value.facts == {"form": "all", "fields": ["cause", "day", "load", "name"]}


@pytest.mark.parametrize(
    ("field", "raw", "code"),
    [
        ("name", "   ", "required"),
        ("name", "abcdef", "too_long"),
        ("cause", "flood", "choice"),
        ("measures", ["earthed", "prayer"], "choice"),
        ("load", "-0.01", "too_small"),
        ("load", "10.51", "too_large"),
        ("load", "ten", "number"),
        ("load", "NaN", "number"),
        ("load", "Infinity", "number"),
        ("day", "2026-02-30", "date"),
        ("crew_id", "-1", "choice"),
        ("crew_id", "first", "choice"),
        ("crew_id", "²", "choice"),
        ("crew_id", "9" * 19, "choice"),
    ],
)
def test_a_wrong_field_is_named_with_its_reason(
    book: FormBook, field: str, raw: object, code: str
) -> None:
    assert said(book, **{field: raw}) == {field: code}


@pytest.mark.parametrize(
    ("field", "raw", "clean"),
    [
        ("name", "abcde", "abcde"),
        ("load", "0", "0"),
        ("load", "10.5", "10.5"),
        ("measures", "signs", ["signs"]),
        ("measures", None, []),
    ],
)
def test_the_limits_themselves_are_allowed(
    book: FormBook, field: str, raw: object, clean: object
) -> None:
    assert book.check("all", LEAST | {field: raw})[field] == clean


def test_a_field_that_is_left_empty_is_absent(book: FormBook) -> None:
    assert book.check("all", LEAST | {"story": "", "load": " ", "day": None}) == {
        "name": "甲",
        "cause": "tree",
        "measures": [],
    }


@pytest.mark.parametrize("ticked", [[], ["earthed"], "earthed", None])
def test_required_measures_must_all_be_confirmed(book: FormBook, ticked: object) -> None:
    with pytest.raises(FormRefused) as refused:
        book.check("safe", {"measures": ticked})
    assert refused.value.problems == {"measures": "all_checks"}


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.text(max_size=12) | st.none()
            for name in ("name", "story", "cause", "load", "day", "crew_id")
        },
    )
)
def test_whatever_is_typed_is_read_or_refused(raw: dict[str, str | None]) -> None:
    book = FormBook("a test", {"all": Form(KINDS)})
    problems: dict[str, str] = {}
    clean: dict[str, object] = {}
    try:
        clean = book.check("all", raw)
    except FormRefused as refused:
        problems = refused.problems
    assert set(clean) | set(problems) <= set(KINDS)


def test_a_field_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "forms.toml"
    file.write_text('source = "a test"\n[forms.one.fields.f]\nkind = "colour"\n', encoding="utf-8")
    with pytest.raises(DataFileRefused, match="none of"):
        load_forms(file)
