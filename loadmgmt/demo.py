"""The demo town's load: a year of telemetry, and forecasts that wait to be made."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.actor import Actor
from loadmgmt.forecast.actions import ask_forecasts_of_past, plan_missed
from loadmgmt.forecast.demo_load import replay
from loadmgmt.forecast.models import Forecast
from metering.api.types import SYSTEM

DAYS_AFTERWARDS = 7


def build(session: Session, actor: Actor) -> None:
    """Write the town's load up to now; ask for its forecasts once, the worker makes them.

    Today's and tomorrow's come first. The days before are forecast from what was known
    before each of them, and say themselves that they were made afterwards.
    """
    replay(session)
    if session.scalar(select(Forecast.id).limit(1)) is None:
        plan_missed(session)
        ask_forecasts_of_past(session, SYSTEM, days=DAYS_AFTERWARDS)
