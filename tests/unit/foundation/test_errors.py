"""The error tree: a stable code, facts, and one of four kinds."""

import pytest

from foundation.errors import (
    BadData,
    GridhallError,
    LostRace,
    NotAllowed,
    NotFound,
    Refused,
    Unreachable,
)


def test_an_error_carries_its_facts_and_says_them() -> None:
    error = NotFound(what="ticket", id="GD-1")
    assert error.facts == {"what": "ticket", "id": "GD-1"}
    assert str(error) == "not_found: what='ticket', id='GD-1'"
    assert str(Refused()) == "refused"


@pytest.mark.parametrize("kind", [NotFound, Refused, Unreachable, BadData])
def test_there_are_four_kinds(kind: type[GridhallError]) -> None:
    assert kind.__bases__ == (GridhallError,)


def test_a_lost_race_and_a_missing_right_are_refusals() -> None:
    assert issubclass(LostRace, Refused)
    assert issubclass(NotAllowed, Refused)
    codes = [k.code for k in (GridhallError, NotFound, Refused, LostRace, NotAllowed, BadData)]
    assert len(set(codes)) == len(codes)
