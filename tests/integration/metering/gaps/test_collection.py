"""Collecting by area and hour, the worklist, and asking for what is missing again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Scope
from foundation.audit import entries
from metering.devices.actions import set_interval
from metering.devices.terminals import search_terminals
from metering.devices.types import TerminalCard
from metering.gaps.actions import check
from metering.gaps.collection import area_hours
from metering.gaps.queries import asked_again
from metering.gaps.types import AreaHour, DarkSpan
from metering.gaps.worklist import Window, ask_backfill, missing_meters, missing_runs
from tests.factories.foundation import SYSTEM
from tests.factories.metering import Fitted, area, meter, reading, stored

START = datetime(2026, 6, 18, 0, 0, tzinfo=UTC)  # 08:00 in the office
HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
ALL = Scope.everything()


@pytest.fixture
def two(session: Session) -> tuple[Fitted, Fitted]:
    """Two meters of one area, read every quarter hour from START on."""
    place = area(session)
    with clock.frozen(START):
        meters = [meter(session, place=place, profile="demo_single") for _ in range(2)]
        for card in terminals(session):
            set_interval(session, SYSTEM, card.terminal_no, interval_s=900)
    return meters[0], meters[1]


def terminals(session: Session) -> list[TerminalCard]:
    return search_terminals(session, ALL)


def read(session: Session, one: Fitted, slots: Sequence[int]) -> None:
    stored(session, *(reading(one.meter_id, START + QUARTER * n, u_a=220.0) for n in slots))


def judge(session: Session, at: datetime) -> None:
    with clock.frozen(START):
        check(session)
    with clock.frozen(at + timedelta(minutes=1)):  # a reading in its last second had its grace
        check(session, steps=100)


def hours(session: Session, *dark: DarkSpan, until: int = 3) -> list[AreaHour]:
    with clock.frozen(START + HOUR * until + timedelta(minutes=1)):
        return area_hours(session, ALL, start=START - HOUR, end=START + HOUR * until, dark=dark)


def test_an_hour_is_what_was_due_in_it_less_what_is_missing(
    session: Session, two: tuple[Fitted, Fitted]
) -> None:
    read(session, two[0], range(8))
    read(session, two[1], [0, 1, 2])
    judge(session, START + HOUR * 2)
    found = hours(session)
    assert [(one.hour, one.expected, one.missing, one.dark) for one in found] == [
        (START, 8, 1, 0),
        (START + HOUR, 8, 4, 0),
    ]
    assert found[0].share == pytest.approx(7 / 8)


def test_what_is_not_judged_yet_is_unknown_and_not_missing(
    session: Session, two: tuple[Fitted, Fitted]
) -> None:
    assert two
    assert hours(session) == []
    judge(session, START + timedelta(minutes=35))
    assert [(one.expected, one.missing) for one in hours(session)] == [(4, 4)]


def test_what_was_before_the_list_began_is_unknown_and_not_perfect(
    session: Session, two: tuple[Fitted, Fitted]
) -> None:
    assert two
    with clock.frozen(START + HOUR + timedelta(minutes=20)):
        check(session)
    with clock.frozen(START + HOUR * 2 + timedelta(minutes=1)):
        check(session)
    assert [(one.hour, one.expected, one.missing) for one in hours(session)] == [
        (START + HOUR, 6, 6)
    ]


def test_an_hour_without_power_does_not_count(session: Session, two: tuple[Fitted, Fitted]) -> None:
    read(session, two[0], [0, 1])
    judge(session, START + HOUR * 3)
    dark = DarkSpan(two[0].area_id, START + timedelta(minutes=50), START + HOUR * 2)
    first, second, third = hours(session, dark)
    assert (first.expected, first.missing, first.dark) == (6, 4, 2)
    assert (second.expected, second.share, second.dark) == (0, None, 8)
    assert third.dark == 0


def test_dark_spans_that_overlap_or_last_are_left_out_once(
    session: Session, two: tuple[Fitted, Fitted]
) -> None:
    judge(session, START + HOUR * 3)
    spans = [
        DarkSpan(two[0].area_id, START, START + HOUR),
        DarkSpan(two[0].area_id, START + QUARTER, None),
        DarkSpan(two[0].area_id + 1000, START, None),
    ]
    assert [(one.expected, one.dark) for one in hours(session, *spans)] == [(0, 8), (0, 8), (0, 8)]


def test_gaps_that_are_forgotten_do_not_make_an_hour_perfect(
    session: Session, two: tuple[Fitted, Fitted]
) -> None:
    assert two
    judge(session, START + HOUR * 3)
    with clock.frozen(START + timedelta(days=200)):
        assert area_hours(session, ALL, start=START, end=START + HOUR) == []


def test_the_worklist_begins_with_who_lacks_most_and_goes_on_where_it_ended(
    session: Session, two: tuple[Fitted, Fitted]
) -> None:
    read(session, two[0], range(6))
    judge(session, START + HOUR * 3)
    window = Window(START, START + HOUR * 3, area_id=two[0].area_id)
    (most,) = missing_meters(session, ALL, window, limit=1)
    assert (most.meter_no, most.intervals) == (two[1].meter_no, 12)
    rest = missing_meters(session, ALL, window, after=(most.intervals, most.meter_id))
    assert [(one.meter_no, one.intervals) for one in rest] == [(two[0].meter_no, 6)]
    assert rest[0].first == START + QUARTER * 6
    assert missing_meters(session, ALL, Window(START, START + HOUR, feeder_id=0)) == []


def test_intervals_in_a_row_are_one_run(session: Session, two: tuple[Fitted, Fitted]) -> None:
    read(session, two[0], [0, 3, 4])
    judge(session, START + HOUR * 2)
    runs = missing_runs(session, two[0].meter_id, first=START, end=START + HOUR * 2)
    assert [(one.first, one.intervals) for one in runs] == [
        (START + QUARTER * 5, 3),
        (START + QUARTER, 2),
    ]


def test_a_gap_keeps_why_it_is_one_where_that_is_known(
    session: Session, two: tuple[Fitted, Fitted]
) -> None:
    session.execute(
        text("UPDATE metering.terminal SET last_error = 'no_reply' WHERE id = :id"),
        {"id": two[0].terminal_id},
    )
    judge(session, START + QUARTER)
    rows = session.execute(text("SELECT meter_id, why FROM metering.gap")).all()
    whys = {row[0]: row[1] for row in rows}
    assert whys == {two[0].meter_id: "no_reply", two[1].meter_id: "no_poller"}
    with clock.frozen(START + HOUR * 5):  # the list was not kept for hours
        check(session, steps=100)
    rows = session.execute(text("SELECT DISTINCT why FROM metering.gap WHERE ts < :at AND ts > :b"),
                           {"at": START + HOUR * 4, "b": START}).scalars().all()  # fmt: skip
    assert rows == [None]


def test_asking_again_is_kept_told_to_the_owner_and_audited(
    session: Session, two: tuple[Fitted, Fitted]
) -> None:
    judge(session, START + HOUR)
    span = {"first": START, "end": START + HOUR}
    with clock.frozen(START + HOUR):
        assert ask_backfill(session, SYSTEM, [two[0].meter_id], **span) == 4
    (card,) = [one for one in terminals(session) if one.meter_id == two[0].meter_id]
    owner = {"site": card.site, "shards": [card.shard]}
    asked = asked_again(session, after=START, **owner)
    assert len(asked) == 4
    assert asked_again(session, after=asked[0][1], **owner) == []
    assert entries(session, act="collection.backfill")[0].facts["intervals"] == 4
    assert ask_backfill(session, SYSTEM, [10**6], **span) == 0
    row = missing_meters(session, ALL, Window(START, START + HOUR))
    assert {one.asked_by for one in row} == {SYSTEM.name, None}


def test_silent_terminals_come_first_page_after_page(
    session: Session, two: tuple[Fitted, Fitted]
) -> None:
    session.execute(
        text("UPDATE metering.terminal SET silent_since = now() WHERE id = :id"),
        {"id": two[1].terminal_id},
    )
    every = terminals(session)
    assert [one.terminal_id for one in every] == [two[1].terminal_id, two[0].terminal_id]
    rest = search_terminals(session, ALL, after=(True, every[0].terminal_no))
    assert rest == every[1:]
    assert search_terminals(session, ALL, view="silent") == every[:1]
    assert search_terminals(session, ALL, search=every[1].terminal_no.lower()) == every[1:]
