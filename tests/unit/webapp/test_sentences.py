"""An error as a sentence: its own, or that of its kind, in the reader's language and time."""

from datetime import UTC, datetime

import pytest

from foundation.errors import BadData, GridhallError, NotFound, Refused
from foundation.flow.engine import CaseMoved, MoveRefused
from foundation.flow.forms import FormRefused
from foundation.postgres import ServerRefused
from foundation.staff.types import StaffNoTaken
from loadmgmt.alerts.types import AlertMoveRefused, AlertState
from webapp.auth.types import AccountLocked
from webapp.errors import STATUS, Forbidden, status_of
from webapp.sentences import sentence


class Unheard(Refused):
    """An error nobody has written a sentence for."""

    code = "unheard_of"


class Odd(GridhallError):
    """An error of no kind."""

    code = "odd"


def test_a_fact_may_have_any_name() -> None:
    assert sentence(Unheard(lang="fr", key="x", n=3), "en") == sentence(Unheard(), "en")


def test_an_error_has_a_sentence_with_its_facts() -> None:
    error = StaffNoTaken(staff_no="1001", name="陈谷雨")
    assert sentence(error) == "Staff number 1001 belongs to 陈谷雨. Choose another one."
    assert "1001" in sentence(error, "zh-CN")
    assert sentence(error, "zh-CN") != sentence(error)


def test_an_error_without_a_sentence_is_said_by_its_kind() -> None:
    assert sentence(Unheard()) == sentence(Refused())
    assert sentence(Odd()) == sentence(GridhallError())


def test_a_reason_may_have_a_sentence_of_its_own() -> None:
    one = ServerRefused(why="no_binaries")
    other = ServerRefused(why="something_new")
    assert "not installed" in sentence(one)
    assert "something_new" in sentence(other)


def test_times_are_said_in_the_offices_zone() -> None:
    until = datetime(2026, 6, 18, 3, 15, tzinfo=UTC)
    assert "11:15" in sentence(AccountLocked(until=until))


@pytest.mark.parametrize(("language", "word"), [("en", "Open"), ("zh-CN", "未确认")])
def test_stored_words_are_said_in_the_readers_language(language: str, word: str) -> None:
    error = AlertMoveRefused(state=AlertState.OPEN, target=AlertState.CLEARED)
    assert word in sentence(error, language)
    assert "cleared" not in sentence(error, language)


def test_a_word_nobody_knows_is_said_as_it_is() -> None:
    assert "teleport" in sentence(MoveRefused(subject="GD-1", step="new", move="teleport"))


def test_moves_and_states_of_a_lost_race_are_said_in_words() -> None:
    at = datetime(2026, 6, 18, 3, 15, tzinfo=UTC)
    error = CaseMoved(subject="GD-1", by="陈谷雨", at=at, move="dispatch", status="sent")
    said = sentence(error, "zh-CN")
    assert "派发" in said
    assert "dispatch" not in said


def test_a_form_says_how_many_fields_are_wrong() -> None:
    assert sentence(FormRefused({"a": "required", "b": "choice"}, form="x")).startswith("2 ")


def test_several_things_are_said_in_one_line() -> None:
    assert sentence(NotFound(id=["a", "b"])).startswith("Cannot find a, b")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound(), 404),
        (Forbidden(), 403),
        (AccountLocked(until=""), 429),
        (Unheard(), 409),
        (BadData(), 422),
        (Odd(), 500),
    ],
)
def test_every_kind_of_error_has_its_status(error: GridhallError, status: int) -> None:
    assert status_of(error) == status


def test_a_kind_stands_after_the_kinds_it_holds() -> None:
    kinds = [kind for kind, _ in STATUS]
    for place, kind in enumerate(kinds):
        assert not any(issubclass(later, kind) for later in kinds[place + 1 :]), kind
