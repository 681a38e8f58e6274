"""The resident judge: takes batches of readings as they are stored, and ends with the process."""

import logging
import threading

import psycopg
from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from foundation.actor import Actor
from foundation.db import driver_url, unit_of_work
from foundation.errors import Unreachable
from foundation.office import Office
from loadmgmt.alerts.raising import end_what_is_good, judge_areas, raise_or_extend
from loadmgmt.alerts.rules.judging import judge
from loadmgmt.alerts.thresholds import load_thresholds
from loadmgmt.alerts.types import Thresholds
from metering.api.readings import claim_batch, mark_judged, waiting_batches
from metering.api.types import BATCH_CHANNEL

logger = logging.getLogger(__name__)

JUDGED = Counter("gridhall_readings_judged_total", "Readings judged for alerts")
BEHIND = Gauge("gridhall_batches_waiting", "Batches of readings not yet judged")
JUDGING = Histogram("gridhall_judging_seconds", "Time to judge one batch")


def judge_next(session: Session, actor: Actor, thresholds: Thresholds) -> bool:
    """Judge the oldest waiting batch; give whether there was one.

    Raising, ending and the note that the batch was judged are one transaction: a crash
    judges it again, and nothing is raised twice.
    """
    batch = claim_batch(session)
    if batch is None:
        return False
    with JUDGING.time():
        result = judge(batch, thresholds)
        raise_or_extend(session, actor, result.findings, thresholds)
        bad = {(one.kind, one.point_id) for one in result.findings}
        good = {
            kind: sorted(point for point in points if (kind, point) not in bad)
            for kind, points in result.seen.items()
        }
        end_what_is_good(session, actor, good, batch.slot, thresholds)
        judge_areas(session, actor, set(batch.area_id.tolist()), batch.slot, thresholds)
        mark_judged(session, batch.batch_id)
    JUDGED.inc(len(batch.meter_id))
    return True


def scan(office: Office, stop: threading.Event) -> None:
    """Judge batches until told to stop; wakes on each flush, looks every second besides.

    Args:
        office: whose readings.
        stop: set to end.
    """
    thresholds, actor = load_thresholds(), Actor.system("scanner")
    while not stop.is_set():
        try:
            with psycopg.connect(
                driver_url(office.url), autocommit=True, application_name="gridhall-scanner-listen"
            ) as listening:
                listening.execute(f"LISTEN {BATCH_CHANNEL}")
                while not stop.is_set():
                    _judge_all(office.engine, actor, thresholds, stop)
                    for _ in listening.notifies(timeout=1.0, stop_after=1):
                        pass
        except (psycopg.Error, SQLAlchemyError, Unreachable) as error:
            logger.warning("scanner waits for the database", extra={"error": str(error)[:200]})
            stop.wait(1.0)


def _judge_all(engine: Engine, actor: Actor, thresholds: Thresholds, stop: threading.Event) -> None:
    while not stop.is_set():
        with unit_of_work(engine) as session:
            BEHIND.set(waiting_batches(session))
            if not judge_next(session, actor, thresholds):
                return
