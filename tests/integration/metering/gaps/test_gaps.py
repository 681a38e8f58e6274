"""The gap list: exactly what was to be read and was not, whatever happened in which order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation import clock
from metering.devices.actions import remove_meter, set_in_service, set_interval
from metering.devices.timetable import load_timetable
from metering.gaps.actions import check
from metering.gaps.queries import (
    checked_to,
    completeness,
    late_due,
    missed,
)
from metering.jobs import forget_old_gaps, keep_gap_list
from tests.factories.foundation import SYSTEM
from tests.factories.metering import Fitted, meter, reading, stored

START = datetime(2026, 6, 18, 3, 0, tzinfo=UTC)
INTERVALS = (300, 900)
GRACE_S = load_timetable().late.grace_s


@dataclass
class Span:
    """When a meter was asked, and how often."""

    interval_s: int
    since: datetime
    until: datetime | None = None

    def slots(self, end: datetime) -> set[datetime]:
        """Give the intervals that began in it and ended by an instant."""
        step = timedelta(seconds=self.interval_s)
        first = -(-self.since.timestamp() // self.interval_s) * self.interval_s
        at, found = datetime.fromtimestamp(first, tz=UTC), set()
        while at + step <= end and (self.until is None or at < self.until):
            found.add(at)
            at += step
        return found


@dataclass
class Model:
    """What should be: the spans and readings of one meter, kept in memory."""

    one: Fitted
    terminal_no: str
    spans: list[Span] = field(default_factory=list)
    read: set[datetime] = field(default_factory=set)
    is_gone: bool = False

    @property
    def open(self) -> Span | None:
        return self.spans[-1] if self.spans and self.spans[-1].until is None else None

    def end(self, at: datetime) -> None:
        if self.open is not None:
            self.open.until = at

    def expected(self, end: datetime) -> set[datetime]:
        return set().union(*(span.slots(end) for span in self.spans))


def fitted(session: Session) -> Model:
    one = meter(session, profile="demo_terminal")
    terminal_no = session.execute(
        text("SELECT terminal_no FROM metering.terminal WHERE id = :id"), {"id": one.terminal_id}
    ).scalar_one()
    set_interval(session, SYSTEM, terminal_no, interval_s=300)
    return Model(one, terminal_no, [Span(300, clock.now())])


def switch(session: Session, model: Model, now: datetime) -> None:
    if model.is_gone:
        return
    on = model.open is None
    set_in_service(session, SYSTEM, model.terminal_no, in_service=on, reason="test")
    if on:
        model.spans.append(Span(interval_of(session, model), now))
    else:
        model.end(now)


def change(session: Session, model: Model, now: datetime) -> None:
    before = interval_of(session, model)
    wanted = INTERVALS[INTERVALS.index(before) - 1]
    set_interval(session, SYSTEM, model.terminal_no, interval_s=wanted)
    if model.open is not None:
        model.end(now)
        model.spans.append(Span(wanted, now))


def remove(session: Session, model: Model, now: datetime) -> None:
    if not model.is_gone:
        remove_meter(session, SYSTEM, model.one.meter_no, removed_at=now)
        model.end(now)
        model.is_gone = True


def read(session: Session, model: Model, now: datetime) -> None:
    """Store the slot that runs, as a poller does."""
    span = model.open
    if span is not None:
        slot = datetime.fromtimestamp(now.timestamp() // span.interval_s * span.interval_s, tz=UTC)
        stored(session, reading(model.one.meter_id, slot, u_a=220.0))
        model.read.add(slot)


def read_late(session: Session, model: Model, now: datetime) -> None:
    """Store the oldest slot that is missing, from the meter's memory."""
    lacking = sorted(model.expected(now) - model.read)
    if lacking:
        stored(session, reading(model.one.meter_id, lacking[0], u_a=220.0))
        model.read.add(lacking[0])


def look(session: Session, model: Model, now: datetime) -> None:  # noqa: ARG001
    check(session)


def interval_of(session: Session, model: Model) -> int:
    return session.execute(
        text("SELECT interval_s FROM metering.terminal WHERE terminal_no = :no"),
        {"no": model.terminal_no},
    ).scalar_one()


Step = Callable[[Session, Model, datetime], None]
steps = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from([read, read, read, read, look, look, read_late, switch, change, remove]),
        st.integers(1, 1500),
    ),
    max_size=25,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps)
def test_the_list_is_complete_and_names_nothing_else(
    session: Session, some: list[tuple[int, Step, int]]
) -> None:
    savepoint = session.begin_nested()
    try:
        session.execute(text("DELETE FROM metering.gap_mark"))
        session.execute(text("DELETE FROM metering.gap"))
        session.execute(text("DELETE FROM metering.asked_span"))
        now = START
        with clock.frozen(now):
            check(session)
            models = [fitted(session), fitted(session)]
        for which, step, seconds in some:
            now += timedelta(seconds=seconds)
            with clock.frozen(now):
                step(session, models[which], now)
        end = datetime.fromtimestamp(now.timestamp() // 900 * 900 + 900, tz=UTC)
        with clock.frozen(end + timedelta(seconds=GRACE_S)):
            while check(session):
                pass
            found = {(one.meter_id, one.slot) for one in missed(
                session, [one.one.meter_id for one in models], first=START, end=end, limit=9999
            )}  # fmt: skip
            assert found == {
                (one.one.meter_id, slot) for one in models for slot in one.expected(end) - one.read
            }
            said = completeness(session, start=START, end=end)
            assert said.expected == said.read + said.missing
            assert said.missing == len(found)
    finally:
        savepoint.rollback()


def test_intervals_of_readings_that_wait_in_a_spool_are_not_missed_yet(session: Session) -> None:
    session.execute(text("DELETE FROM metering.gap_mark"))
    session.execute(text("DELETE FROM metering.poll_worker"))
    with clock.frozen(START):
        keep_gap_list(session, SYSTEM)
        model = fitted(session)
    session.execute(
        text(
            "INSERT INTO metering.poll_worker (id, name, site, started_at, beat_at, live_until,"
            " terminals, spool_bytes, spool_since)"
            " VALUES (gen_random_uuid(), 'one', '', :at, :at, :until, 1, 1, :since)"
        ),
        {
            "at": START,
            "until": START + timedelta(hours=2),
            "since": START + timedelta(minutes=10),
        },
    )
    with clock.frozen(START + timedelta(hours=1)):
        keep_gap_list(session, SYSTEM)
        assert checked_to(session) == START + timedelta(minutes=10)
        some = missed(session, [model.one.meter_id], first=START, end=clock.now())
        assert [one.slot for one in some] == [START, START + timedelta(minutes=5)]


def test_what_terminals_that_answer_lack_is_read_late_and_old_gaps_are_forgotten(
    session: Session,
) -> None:
    session.execute(text("DELETE FROM metering.gap_mark"))
    with clock.frozen(START):
        keep_gap_list(session, SYSTEM)
        model = fitted(session)
    shard = session.execute(
        text("SELECT shard FROM metering.terminal WHERE terminal_no = :no"),
        {"no": model.terminal_no},
    ).scalar_one()
    with clock.frozen(START + timedelta(minutes=11)):
        keep_gap_list(session, SYSTEM)
        due = late_due(session, site="", shards=[shard], since=START)
        assert [one.slot for one in due] == [START + timedelta(minutes=5), START]
        session.execute(
            text("UPDATE metering.terminal SET failed_rounds = 1 WHERE terminal_no = :no"),
            {"no": model.terminal_no},
        )
        assert late_due(session, site="", shards=[shard], since=START) == []
        forget_old_gaps(session, SYSTEM)
        assert len(missed(session, [model.one.meter_id], first=START, end=clock.now())) == 2
    with clock.frozen(START + timedelta(days=40)):
        forget_old_gaps(session, SYSTEM)
        assert missed(session, [model.one.meter_id], first=START, end=clock.now()) == []
