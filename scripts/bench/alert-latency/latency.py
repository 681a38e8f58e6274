"""From a terminal's registers to the alert on the screen: the real processes, timed.

Starts simulator, poller and worker, orders a sag on one meter after another, and prints for
each sag when the poll was due, when its reading was stored, when the alert was raised and when
the signal of its commit arrived, in seconds from the order.
"""

import json
import queue
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
from sqlalchemy import func, select, text
from town import INTERVAL_S, Fitted, fit_meters

from foundation.db import driver_url, unit_of_work
from foundation.errors import Unreachable
from foundation.office import Office
from foundation.outbox import SIGNAL_CHANNEL
from foundation.postgres import die_with_parent
from foundation.settings import settings
from metering.polling.rules import next_start
from metering.readings.models import Latest
from metering.simulation.actions import order_simulator
from webapp import database

METERS = 60
CLEAR_OF_POLL_S = 0.05
READY_S, ALERT_S = 60.0, 15.0


class Ear(threading.Thread):
    """Hears the signals screens hear, and notes when."""

    def __init__(self, url: str) -> None:
        super().__init__(name="ear", daemon=True)
        self._url = url
        self.heard: queue.Queue[float] = queue.Queue()
        self.listens = threading.Event()

    def run(self) -> None:
        """Listen until the process ends."""
        with psycopg.connect(driver_url(self._url), autocommit=True) as connection:
            connection.execute(f"LISTEN {SIGNAL_CHANNEL}")
            self.listens.set()
            for notice in connection.notifies():
                at = time.time()
                if json.loads(notice.payload)["topic"] == "alerts":
                    self.heard.put(at)


@contextmanager
def running(*names: str) -> Iterator[None]:
    """Run processes of the office for the length of a block."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "webapp", name],
            stdout=sys.stderr,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - no other thread runs at this point
        )
        for name in names
    ]
    try:
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(20)


def wait_until_read(office: Office, meters: int) -> None:
    """Wait until every meter was read and every batch judged."""
    give_up = time.monotonic() + READY_S
    while time.monotonic() < give_up:
        with unit_of_work(office.engine) as session:
            read = session.scalar(select(func.count(Latest.meter_id))) or 0
            judged = session.scalar(
                text("SELECT count(*) FROM metering.reading_batch WHERE judged_at IS NOT NULL")
            )
        if read >= meters and judged:
            return
        time.sleep(0.2)
    raise SystemExit("the office did not read its meters")


def wait_until_simulated(office: Office) -> None:
    """Wait until the simulator takes orders."""
    give_up = time.monotonic() + READY_S
    while time.monotonic() < give_up:
        try:
            order_simulator(office, "status")
        except Unreachable:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the simulator did not start")


def sag(office: Office, ear: Ear, one: Fitted, before_poll_s: float) -> dict[str, float]:
    """Order a sag so long before a poll is due, and give what happened when."""
    due = next_start(datetime.now(UTC), one.address, INTERVAL_S).timestamp() + INTERVAL_S
    time.sleep(due - before_poll_s - time.time())
    order_simulator(office, "sag", target=one.meter_no, to=0.85)
    ordered = time.time()
    signals: list[float] = []
    while time.time() < ordered + ALERT_S:
        signals.append(ear.heard.get(timeout=ALERT_S))
        found = _alert(office, one)
        if found is not None and signals[-1] >= found[1]:
            stored, raised = found
            signalled = min(at for at in signals if at >= raised)
            return {
                "poll_due": due - ordered,
                "stored": stored - ordered,
                "raised": raised - ordered,
                "signalled": signalled - ordered,
            }
    raise SystemExit(f"no alert for {one.meter_no}")


def _alert(office: Office, one: Fitted) -> tuple[float, float] | None:
    """Give when the reading behind a meter's alert was stored, and when the alert was raised."""
    with unit_of_work(office.engine) as session:
        row = session.execute(
            text(
                "SELECT b.stored_at, a.raised_at FROM loadmgmt.alert a"
                " JOIN metering.reading_batch b"
                " ON b.slot = a.started_at AND :meter = ANY(b.meter_ids)"
                " WHERE a.point_id = :point AND a.kind = 'under_voltage'"
            ),
            {"meter": one.meter_id, "point": one.point_id},
        ).first()
    return (row[0].timestamp(), row[1].timestamp()) if row else None


def main() -> None:
    """Print every sag; how many, says the first argument."""
    sags, chance = int(sys.argv[1]), random.Random(7)  # noqa: S311 - no secret
    office = Office(settings(), database.addresses(settings()).office, "bench")
    with unit_of_work(office.engine) as session:
        meters = fit_meters(session, max(METERS, sags))
    with running("simulator", "poller", "worker"):
        wait_until_simulated(office)
        wait_until_read(office, len(meters))
        ear = Ear(office.url)
        ear.start()
        ear.listens.wait(READY_S)
        told = [
            sag(office, ear, one, chance.uniform(CLEAR_OF_POLL_S, INTERVAL_S - CLEAR_OF_POLL_S))
            for one in meters[:sags]
        ]
    office.close()
    print(json.dumps({"meters": len(meters), "interval_s": INTERVAL_S, "sags": told}))


if __name__ == "__main__":
    main()
