"""What a step needs, how long each took, what the customer is asked for."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from customers.applications.rules import (
    DocumentRule,
    Promises,
    blockers,
    customer_needs,
    spans,
    state_of,
    supply_too_small,
)
from customers.applications.types import DocumentState
from foundation.flow.limits import Limit
from metering.api.types import Supply

STAGES = ("accept", "survey", "plan_reply", "contract", "fit_meter")
START = datetime(2026, 6, 18, 1, tzinfo=UTC)
STEPS = st.sampled_from(STAGES)


def state(rule: DocumentRule, step: str, *, file: bool = False, promised: bool = False) -> str:
    return state_of(rule, has_file=file, is_promised=promised, step=step, stages=STAGES).value


def test_a_paper_is_owed_from_its_step_on_and_a_promise_holds_until_its_own() -> None:
    rule = DocumentRule("accept", promised_until="contract")
    assert state(rule, "accept") == "missing"
    assert state(rule, "survey", promised=True) == "promised"
    assert state(rule, "contract", promised=True) == "missing"
    assert state(rule, "contract", file=True) == "received"
    assert state(DocumentRule("contract"), "survey") == "not_yet"
    assert state(DocumentRule("accept", optional=True), "fit_meter") == "optional"


@given(step=STEPS, promised=st.booleans())
def test_a_promise_without_a_date_is_none(step: str, *, promised: bool) -> None:
    assert state(DocumentRule("accept"), step, promised=promised) == "missing"


def test_only_what_is_missing_blocks() -> None:
    found = blockers({"owner_id": DocumentState.MISSING, "contract": DocumentState.NOT_YET})
    assert [one.what for one in found] == ["owner_id"]


@given(
    moves=st.lists(
        st.tuples(st.sampled_from(["pause", "resume", "go", "claim"]), STEPS, st.integers(0, 900)),
        min_size=1,
        max_size=12,
    )
)
def test_the_times_of_a_case_follow_each_other_without_a_gap(
    moves: list[tuple[str, str, int]],
) -> None:
    at, past = START, []
    for move, step, minutes in moves:
        at += timedelta(minutes=minutes)
        past.append((move, step, at))
    found = spans(past, now=at + timedelta(hours=1), ended=False)
    assert found[0].start == past[0][2]
    assert found[-1].end == at + timedelta(hours=1)
    assert all(one.end == two.start for one, two in itertools.pairwise(found))


def test_a_pause_is_waiting_and_ends_with_the_step_or_the_resuming() -> None:
    hours = [START + timedelta(hours=n) for n in range(5)]
    past = [
        ("start", "survey", hours[0]),
        ("pause", "survey", hours[1]),
        ("resume", "survey", hours[2]),
        ("feasible", "plan_reply", hours[3]),
    ]
    found = spans(past, now=hours[4], ended=False)
    assert [(one.step, one.waits) for one in found] == [
        ("survey", False), ("survey", True), ("survey", False), ("plan_reply", False),
    ]  # fmt: skip
    assert spans(past, now=hours[4], ended=True)[-1].end == hours[3]


def test_a_single_phase_carries_so_much_and_no_more() -> None:
    assert not supply_too_small(Supply.SINGLE_220, 12)
    assert supply_too_small(Supply.SINGLE_220, 12.1)
    assert not supply_too_small(Supply.THREE_380, 60)


def test_the_customer_is_asked_for_what_is_theirs_to_give() -> None:
    assert customer_needs("accept", paused=None, missing=["owner_id"]) == ("papers",)
    assert customer_needs("plan_reply", paused=None, missing=[]) == ("plan_reply",)
    assert customer_needs("plan_reply", paused="customer_decision", missing=[]) == (
        "customer_decision",
    )
    assert customer_needs("survey", paused=None, missing=[]) == ()


def test_an_office_s_own_promise_replaces_the_packaged_one_if_it_is_a_number_of_days() -> None:
    book = Promises("test", {"new": {"whole": Limit(working_days=5)}})
    assert book.limits("new", {"applications.new.whole": 4})["whole"].working_days == 4
    for nonsense in (0, True, "4", None):
        assert book.limits("new", {"applications.new.whole": nonsense})["whole"].working_days == 5
    assert book.limits("other", {}) == {}
