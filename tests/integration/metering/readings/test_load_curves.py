"""Curves of load: what was read is summed, and too little read is unknown, never zero."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from foundation import clock
from metering.devices.models import Meter
from metering.network.queries import area_places
from metering.readings.load_curves import load_curve, load_curves, load_rules
from metering.readings.models import Daily
from metering.readings.queries import largest_points
from metering.readings.types import SYSTEM, LoadPoint, Quality, Subject, SubjectKind
from tests.factories import metering
from tests.factories.metering import Fitted, reading, stored

START = datetime(2026, 6, 18, 2, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
HOUR = (START, START + timedelta(hours=1))
LATER = START + timedelta(days=1)


def fleet(session: Session, n: int) -> list[Fitted]:
    """Fit meters with terminals in one area."""
    place = metering.area(session)
    return [metering.meter(session, place=place, profile="demo_single") for _ in range(n)]


def curve(session: Session, meters: list[Fitted], **more: timedelta) -> tuple[LoadPoint, ...]:
    with clock.frozen(LATER):
        subject = Subject(SubjectKind.AREA, meters[0].area_id)
        return load_curve(session, subject, HOUR, **more).points


def test_the_load_of_a_slot_is_the_sum_of_what_its_points_took_on_average(
    session: Session,
) -> None:
    one, other = fleet(session, 2)
    stored(
        session,
        reading(one.meter_id, START, p=1000.0),
        reading(one.meter_id, START + timedelta(minutes=5), p=3000.0),
        reading(other.meter_id, START, p=500.0),
    )
    first, second, *_ = curve(session, [one, other])
    assert (first.kw, first.read, first.expected, first.share) == (2.5, 2, 2, 1.0)
    assert (second.kw, second.read, second.expected) == (None, 0, 2)


def test_a_slot_of_which_too_few_points_were_read_is_unknown_and_says_its_share(
    session: Session,
) -> None:
    meters = fleet(session, 10)
    nine, eight = START, START + QUARTER
    stored(session, *(reading(one.meter_id, nine, p=1000.0) for one in meters[:9]))
    stored(session, *(reading(one.meter_id, eight, p=1000.0) for one in meters[:8]))
    first, second, *_ = curve(session, meters)
    assert (first.kw, first.share) == (9.0, 0.9)  # summed as it is, not blown up to ten
    assert (second.kw, second.share) == (None, 0.8)
    assert float(load_rules().least_share) == 0.9


def test_values_out_of_range_are_no_load_and_estimates_are_marked(session: Session) -> None:
    one, other = fleet(session, 2)
    stored(
        session,
        reading(one.meter_id, START, p=1e9, quality=Quality.OUT_OF_RANGE),
        reading(other.meter_id, START, p=1000.0),
        reading(one.meter_id, START + QUARTER, p=1000.0, quality=Quality.ESTIMATED),
        reading(other.meter_id, START + QUARTER, p=None),
    )
    first, second, *_ = curve(session, [one, other])
    assert (first.kw, first.read) == (None, 1)
    assert (second.read, second.estimated) == (1, True)


def test_a_slot_that_has_not_ended_is_unknown(session: Session) -> None:
    one = fleet(session, 1)[0]
    stored(session, reading(one.meter_id, START, p=1000.0))
    subject = Subject(SubjectKind.POINT, one.point_id)
    with clock.frozen(START + timedelta(minutes=14)):
        assert load_curve(session, subject, HOUR).points[0].kw is None
    with clock.frozen(START + timedelta(minutes=15)):
        assert load_curve(session, subject, HOUR).points[0].kw == 1.0


def test_only_points_with_a_terminal_and_only_while_they_stand_are_expected(
    session: Session,
) -> None:
    place = metering.area(session)
    metering.meter(session, place=place)  # nobody reads this one
    one = metering.meter(session, place=place, profile="demo_single")
    gone = metering.meter(session, place=place, profile="demo_single")
    session.get_one(Meter, gone.meter_id).removed_at = START + timedelta(minutes=30)
    session.flush()
    expected = [point.expected for point in curve(session, [one])]
    assert expected == [2, 2, 1, 1]


def test_half_hours_and_hours_are_averages_too(session: Session) -> None:
    one = fleet(session, 1)[0]
    stored(
        session,
        *(reading(one.meter_id, START + QUARTER * n, p=1000.0 * (n + 1)) for n in range(4)),
    )
    half = curve(session, [one], step=timedelta(minutes=30))
    assert [point.kw for point in half] == [1.5, 3.5]
    assert [point.kw for point in curve(session, [one], step=timedelta(hours=1))] == [2.5]


def test_feeders_and_the_system_add_up_their_areas(session: Session) -> None:
    here, there = fleet(session, 1)[0], fleet(session, 1)[0]
    stored(
        session,
        reading(here.meter_id, START, p=1000.0),
        reading(there.meter_id, START, p=2000.0),
    )
    feeder = area_places(session, [here.area_id])[here.area_id].feeder_id
    subjects = [
        SYSTEM,
        Subject(SubjectKind.FEEDER, feeder),
        Subject(SubjectKind.POINT, there.point_id),
        Subject(SubjectKind.AREA, 10**9),
    ]
    with clock.frozen(LATER):
        curves = load_curves(session, subjects, HOUR)
    assert [curves[one].points[0].kw for one in subjects] == [3.0, 1.0, 2.0, None]
    assert curves[subjects[3]].points[0].share is None


def test_a_span_or_a_step_that_makes_no_whole_slots_is_refused(session: Session) -> None:
    with pytest.raises(ValueError, match="whole slots"):
        load_curve(session, SYSTEM, (START + timedelta(minutes=5), HOUR[1]))
    with pytest.raises(ValueError, match="step"):
        load_curve(session, SYSTEM, HOUR, timedelta(minutes=10))


def test_the_largest_points_come_by_what_they_used(session: Session) -> None:
    small, large = fleet(session, 2)
    for one, used in ((small, 10), (large, 900)):
        session.add(Daily(day=START.date(), meter_id=one.meter_id, used_wh=used, points=96))
    session.flush()
    found = largest_points(session, since=START.date(), limit=1)
    assert [one.point_id for one in found] == [large.point_id]


@pytest.mark.parametrize("key", ["system", "feeder:3", "point:12"])
def test_a_subject_is_read_as_it_is_written(key: str) -> None:
    assert Subject.of(key).key == key


@pytest.mark.parametrize("key", ["", "feeder", "system:1", "street:1", "feeder:x"])
def test_what_is_no_subject_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="names no load"):
        Subject.of(key)
