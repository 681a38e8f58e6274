"""What the desk is told of a point: a wrong voltage is supply's fault, not the customer's."""

import pytest
from sqlalchemy.orm import Session

from foundation import clock
from loadmgmt.alerts.scanner import judge_next
from loadmgmt.alerts.thresholds import load_thresholds
from loadmgmt.outages.queries.around import look_around
from loadmgmt.outages.types import Verdict
from tests.factories import metering
from tests.factories.foundation import SYSTEM


@pytest.mark.parametrize(("volts", "verdict"), [(220.0, Verdict.INSIDE), (180.0, Verdict.VOLTAGE)])
def test_a_meter_with_voltage_is_judged_by_its_alerts_too(
    session: Session, volts: float, verdict: Verdict
) -> None:
    one = metering.meter(session, profile="demo_single")
    metering.stored(session, metering.reading(one.meter_id, clock.now(), u_a=volts, i_a=1.0))
    while judge_next(session, SYSTEM, load_thresholds()):
        pass
    assert look_around(session, one.point_id).verdict is verdict
