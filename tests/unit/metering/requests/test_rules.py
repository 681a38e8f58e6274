"""When supply may be taken away remotely, and where a command stands."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.worktime import WorkCalendar
from metering.requests.books import switching
from metering.requests.rules import (
    FINAL,
    Progress,
    Standing,
    checks,
    forbidding,
    is_protected,
    is_within_hours,
    state_of,
)
from metering.requests.types import Check, WriteKind, WriteState

CALENDAR = WorkCalendar(
    ZoneInfo("Asia/Shanghai"),
    holidays=frozenset({date(2026, 6, 19)}),
    makeup_days=frozenset({date(2026, 6, 21)}),
    years=frozenset({2026}),
)
NOON = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)  # a Thursday, 12:00 in the office
PATIENCE = timedelta(seconds=60)


def standing(**changed: object) -> Standing:
    values: dict[str, object] = {
        "commands": frozenset({"open", "close"}),
        "never_cut": None,
        "never_cut_until": None,
        "is_pending": False,
        "is_silent": False,
        "is_repair_open": False,
    }
    return Standing(**(values | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "against"),
    [
        ({}, []),
        ({"commands": frozenset()}, [Check.POSSIBLE]),
        ({"is_pending": True}, [Check.NOTHING_PENDING]),
        ({"never_cut": "life_support"}, [Check.NOT_PROTECTED]),
        ({"never_cut": "life_support", "never_cut_until": date(2026, 6, 18)},
         [Check.NOT_PROTECTED]),
        ({"never_cut": "life_support", "never_cut_until": date(2026, 6, 17)}, []),
        ({"is_repair_open": True}, [Check.NO_REPAIR]),
        ({"is_silent": True}, []),
    ],
)  # fmt: skip
def test_each_binding_check_forbids_taking_supply_away(
    changed: dict[str, object], against: list[Check]
) -> None:
    found = checks(
        WriteKind.OPEN, standing(**changed), rules=switching(), at=NOON, calendar=CALENDAR
    )
    assert forbidding(found) == against


def test_supply_is_given_back_at_any_hour_and_to_anybody() -> None:
    night = NOON + timedelta(hours=11)
    found = checks(
        WriteKind.CLOSE,
        standing(never_cut="important", is_repair_open=True),
        rules=switching(),
        at=night,
        calendar=CALENDAR,
    )
    assert forbidding(found) == []


@pytest.mark.parametrize(
    ("local", "allowed"),
    [
        ("2026-06-18 08:29", False),
        ("2026-06-18 08:30", True),
        ("2026-06-18 15:29", True),
        ("2026-06-18 15:30", False),
        ("2026-06-19 12:00", False),  # a holiday
        ("2026-06-20 12:00", False),  # a Saturday
        ("2026-06-21 12:00", True),  # a Sunday that is made up for
    ],
)
def test_supply_is_taken_away_in_working_hours_alone(local: str, *, allowed: bool) -> None:
    at = datetime.fromisoformat(local).replace(tzinfo=CALENDAR.zone)
    assert is_within_hours(switching(), at, CALENDAR) is allowed


def test_a_mark_without_end_protects_for_ever() -> None:
    assert is_protected("important", None, date(2099, 1, 1))
    assert not is_protected(None, date(2099, 1, 1), date(2026, 1, 1))


def progress(**known: object) -> Progress:
    values: dict[str, object] = {
        "ended_as": None,
        "expires_at": NOON + timedelta(minutes=15),
        "send_before": None,
        "taken_at": None,
        "answered_at": None,
        "is_verified": None,
    }
    return Progress(**(values | known))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "state"),
    [
        ({}, WriteState.AWAITING),
        ({"expires_at": NOON}, WriteState.EXPIRED),
        ({"send_before": NOON + PATIENCE}, WriteState.SENT),
        ({"send_before": NOON}, WriteState.EXPIRED),
        ({"send_before": NOON, "taken_at": NOON}, WriteState.RUNNING),
        ({"send_before": NOON, "taken_at": NOON - PATIENCE}, WriteState.TIMED_OUT),
        ({"taken_at": NOON, "answered_at": NOON, "is_verified": True}, WriteState.DONE),
        ({"taken_at": NOON, "answered_at": NOON, "is_verified": False}, WriteState.FAILED),
        ({"taken_at": NOON, "answered_at": NOON}, WriteState.TIMED_OUT),
        ({"ended_as": WriteState.REJECTED, "expires_at": NOON}, WriteState.REJECTED),
    ],
)
def test_a_command_stands_where_its_instants_say(
    known: dict[str, object], state: WriteState
) -> None:
    assert state_of(progress(**known), now=NOON, patience=PATIENCE) is state


@given(
    taken_s=st.none() | st.integers(-300, 0),
    later_s=st.integers(0, 3600),
    verified=st.none() | st.booleans(),
    answered=st.booleans(),
)
def test_a_command_that_was_never_proved_is_never_shown_as_done(
    taken_s: int | None, later_s: int, *, verified: bool | None, answered: bool
) -> None:
    taken = None if taken_s is None else NOON + timedelta(seconds=taken_s)
    known = progress(
        send_before=NOON,
        taken_at=taken,
        answered_at=NOON if answered and taken else None,
        is_verified=verified if answered and taken else None,
    )
    state = state_of(known, now=NOON + timedelta(seconds=later_s), patience=PATIENCE)
    assert (state is WriteState.DONE) == (known.is_verified is True)
    if taken is None:
        assert state in {WriteState.SENT, WriteState.EXPIRED}
    assert state in FINAL or later_s < PATIENCE.total_seconds()
