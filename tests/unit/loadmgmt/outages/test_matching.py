"""How well an outage explains a call: evidence for, evidence against, and the score."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from loadmgmt.outages.books import outage_rules
from loadmgmt.outages.rules.matching import Candidate, Seen, evidence_of, score_of
from loadmgmt.outages.types import OutageKind, OutageScope, Power, Tally

RULES = outage_rules()
START = datetime(2026, 6, 18, 11, 12, 40, tzinfo=UTC)
OUTAGE = Candidate(
    kind=OutageKind.FAULT,
    scope=OutageScope.AREA,
    area_id=12,
    box_no=None,
    started_at=START,
    ends_at=None,
    accounts=0,
    confirmed=False,
)
DARK = Seen(12, "B-0712-06", Power.DARK, START, Tally(on=2, dark=12), Tally(on=3, dark=6))


def score(outage: Candidate, seen: Seen, at: datetime = START) -> int:
    evidence = evidence_of(outage, seen, at=at, rule=RULES.match, suspect=RULES.suspect)
    return score_of(evidence, RULES.match)


def test_every_code_has_a_weight_and_the_sum_stays_within_a_hundred() -> None:
    assert score(OUTAGE, DARK) == 100


def test_another_area_or_box_is_no_match_at_all() -> None:
    assert score(OUTAGE, replace(DARK, area_id=13)) == 0
    boxed = replace(OUTAGE, scope=OutageScope.BOX, box_no="B-0712-01")
    assert evidence_of(boxed, DARK, at=START, rule=RULES.match, suspect=RULES.suspect) == ()


def test_a_caller_whose_meter_nobody_reads_matches_by_the_areas_dark_meters() -> None:
    unread = replace(DARK, own=Power.UNREAD, dark_since=None, box=Tally(unread=12))
    assert score(OUTAGE, unread) == RULES.match.show


def test_a_caller_whose_meter_has_voltage_does_not_match() -> None:
    assert score(OUTAGE, replace(DARK, own=Power.ON, dark_since=None)) < RULES.match.show


def test_calls_alone_make_a_match_from_the_third_on() -> None:
    quiet = Seen(12, "B-0712-06", Power.UNREAD, None, Tally(unread=12), Tally(on=9, unread=39))
    assert score(replace(OUTAGE, accounts=2), quiet) < RULES.match.show
    assert score(replace(OUTAGE, accounts=3), quiet) >= RULES.match.show


def test_a_dispatchers_word_is_evidence() -> None:
    quiet = Seen(12, "B-0712-06", Power.UNREAD, None, Tally(), Tally())
    assert score(OUTAGE, quiet) < RULES.match.show
    assert score(replace(OUTAGE, confirmed=True), quiet) >= RULES.match.show


def test_a_planned_outage_matches_within_its_window_only() -> None:
    planned = replace(OUTAGE, kind=OutageKind.PLANNED, ends_at=START + timedelta(hours=2))
    unread = Seen(12, "B-0712-06", Power.UNREAD, None, Tally(), Tally())
    assert score(planned, unread, at=START) >= RULES.match.show
    assert score(planned, unread, at=START + timedelta(hours=2)) >= RULES.match.show
    assert score(planned, unread, at=START + timedelta(hours=2, seconds=1)) == 0
    assert score(planned, unread, at=START - timedelta(seconds=1)) == 0


def test_time_counts_up_to_its_limit() -> None:
    limit = timedelta(minutes=RULES.match.limits.close_minutes)
    on_it = replace(DARK, dark_since=START + limit, box=Tally(), area=Tally())
    beyond = replace(on_it, dark_since=START + limit + timedelta(seconds=1))
    weight = RULES.match.weights["close_in_time"]
    assert score(OUTAGE, on_it) - score(OUTAGE, beyond) == weight


def test_evidence_is_told_strongest_first() -> None:
    codes = evidence_of(OUTAGE, DARK, at=START, rule=RULES.match, suspect=RULES.suspect)
    weights = [abs(RULES.match.weights[code]) for code in codes]
    assert weights == sorted(weights, reverse=True)


TALLIES = st.builds(
    Tally,
    on=st.integers(0, 50),
    dark=st.integers(0, 50),
    silent=st.integers(0, 50),
    unread=st.integers(0, 50),
)


@given(
    own=st.sampled_from(Power),
    box=TALLIES,
    area=TALLIES,
    accounts=st.integers(0, 100),
    apart=st.none() | st.integers(-10_000, 10_000),
    confirmed=st.booleans(),
)
def test_a_score_lies_between_0_and_100_and_voltage_never_helps(
    own: Power, box: Tally, area: Tally, accounts: int, apart: int | None, *, confirmed: bool
) -> None:
    outage = replace(OUTAGE, accounts=accounts, confirmed=confirmed)
    since = None if apart is None else START + timedelta(seconds=apart)
    seen = Seen(12, "B-0712-06", own, since, box, area)
    assert 0 <= score(outage, seen) <= 100
    assert score(outage, replace(seen, own=Power.ON)) <= score(outage, seen)
