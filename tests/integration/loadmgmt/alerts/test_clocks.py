"""A terminal's wrong clock is an alert until it is right again."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation import clock
from loadmgmt.alerts.clocks import follow_clocks
from loadmgmt.alerts.models import Alert
from loadmgmt.alerts.types import AlertKind
from metering.readings.events import note_events
from metering.readings.types import EventKind, NewEvent
from tests.factories import metering
from tests.factories.foundation import SYSTEM


def test_a_wrong_clock_is_one_alert_and_ends_when_it_is_set(session: Session) -> None:
    one = metering.meter(session, profile="demo_single")
    now = clock.now()
    note_events(session, [NewEvent(one.meter_id, EventKind.CLOCK, now, facts={"drift_s": -640})])
    for _ in range(2):
        follow_clocks(session, SYSTEM)
    alert = session.scalars(select(Alert).where(Alert.point_id == one.point_id)).one()
    assert (alert.kind, alert.evidence) == (AlertKind.CLOCK_DRIFT, {"drift_s": -640})
    assert alert.ended_at is None
    note_events(session, [NewEvent(one.meter_id, EventKind.CLOCK, now, "ends")])
    follow_clocks(session, SYSTEM)
    session.refresh(alert)
    assert alert.ended_at is not None
