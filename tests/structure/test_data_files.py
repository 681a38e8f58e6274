"""Data files: each loads, names its source, and has a text for all it names."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from callcenter.tickets import books, effects
from foundation.datafiles import load_toml
from foundation.flow.calendar import office_calendar
from foundation.flow.forms import FormBook
from loadmgmt.alerts.thresholds import load_thresholds
from loadmgmt.alerts.types import AlertKind
from metering.modbus.profile import read_profile
from metering.network.types import AreaClass, Supply
from tests.structure.source import ROOT, files, in_rooms, text
from webapp.sentences import texts
from webapp.texts import FOLDERS

DATA = in_rooms(".toml")
PROFILES = [one for one in DATA if one.parent.name == "profiles" and ".frames" not in one.name]
PROBLEMS = ("required", "choice", "all_checks", "number", "too_small", "too_large", "too_long",
            "date")  # fmt: skip
FLOWS = books.flows().all()


def book() -> FormBook:
    return books.forms()


@pytest.mark.parametrize("path", DATA, ids=str)
def test_a_data_file_loads_and_names_its_source(path: Path) -> None:
    assert len(load_toml(ROOT / path)["source"]) > 10


@pytest.mark.parametrize("path", PROFILES, ids=str)
def test_a_terminal_profile_is_one_the_poller_can_use(path: Path) -> None:
    assert read_profile(ROOT / path)


@pytest.mark.parametrize(
    "path", [one for one in files() if one.suffix == ".csv" and one.parts[0] == "metering"], ids=str
)
def test_a_curve_names_its_source(path: Path) -> None:
    assert text(path).startswith("#")
    assert "source" in text(path)[:1000].lower()


def test_thresholds_know_every_kind_of_alert_and_every_supply() -> None:
    thresholds = load_thresholds()
    assert set(thresholds.kinds) == set(AlertKind)
    assert set(thresholds.band) == set(Supply)


def test_the_calendar_covers_whole_years() -> None:
    calendar = office_calendar()
    assert calendar.years == set(range(min(calendar.years), max(calendar.years) + 1))


def test_what_a_flow_brings_about_is_written_and_what_is_written_is_used() -> None:
    named = {
        move.effect
        for flow in FLOWS
        for step in flow.steps.values()
        for move in step.moves.values()
        if move.effect
    }
    assert named == set(effects.EFFECTS) == books.EFFECTS


def test_every_form_belongs_to_a_move() -> None:
    named = {
        move.form
        for flow in FLOWS
        for step in flow.steps.values()
        for move in step.moves.values()
        if move.form
    }
    assert named == set(book().forms)


def test_what_a_flow_promises_has_a_limit_for_every_class_of_area() -> None:
    promises = books.promises()
    for flow in FLOWS:
        table = getattr(promises, flow.name)
        promised = {name for one in FLOWS if one.name == flow.name for name in one.promises}
        assert set(flow.promises) <= set(table) == promised  # running cases keep their version
        for by_area in table.values():
            assert set(by_area) == set(AreaClass)


def words_of_flows() -> Iterator[str]:
    for flow in FLOWS:
        yield from (f"status.ticket.{step.status}" for step in flow.steps.values())
        yield from (f"move.{name}" for step in flow.steps.values() for name in step.moves)
        yield from (f"promise.{name}" for name in flow.promises)
        yield f"tickets.kind.{flow.name}"


def words_of_forms() -> Iterator[str]:
    for form in book().forms.values():
        for name, field in form.fields.items():
            yield f"form.field.{name}"
            yield from (f"form.choice.{choice}" for choice in field.choices)
    yield from (f"form.problem.{code}" for code in PROBLEMS)


@pytest.mark.parametrize("language", FOLDERS)
def test_everything_a_flow_or_a_form_names_has_a_text(language: str) -> None:
    wanted = {*words_of_flows(), *words_of_forms()}
    assert wanted - texts().keys(language) == set()


def test_every_way_a_field_can_be_wrong_is_listed_here() -> None:
    said = text(Path("foundation/flow/forms.py"))
    assert all(f'"{code}"' in said for code in PROBLEMS)
