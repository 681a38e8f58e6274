"""Three pollers share a fleet: one is killed, one frozen and thawed, one joins; nothing twice."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from foundation.db import connect, unit_of_work
from foundation.postgres import EmbeddedServer
from metering.polling.rules import lease_margin_s, stagger_s
from metering.readings.actions import days_ahead
from metering.readings.types import Quality
from tests.factories.databases import own_database
from tests.factories.metering import meter
from tests.factories.wire import Terminals, terminals
from webapp.database import Addresses

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
LEASE_S = 4.0
INTERVAL_S = 2
PORTS, UNITS = 24, 3
FROZEN_S = 9.0
LATE = """
SELECT t.port, t.unit, (extract(epoch FROM r.ts) / :s)::bigint
FROM metering.reading r JOIN metering.meter m ON m.id = r.meter_id
JOIN metering.terminal t ON t.id = m.terminal_id WHERE r.quality & :late <> 0
"""


@dataclass
class Fleet:
    """Terminals, their database, and the pollers that share them."""

    where: Addresses
    office: Engine
    wire: Terminals
    folder: Path
    pollers: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self) -> "subprocess.Popen[bytes]":
        """Start one more poller, as if on a machine of its own."""
        number = len(self.pollers)
        env = os.environ | {
            "GRIDHALL_DATA_DIR": str(self.folder / str(number)),
            "DATABASE_URL": self.where.owner,
            "DATABASE_URL_OFFICE": self.where.office,
            "DATABASE_URL_POLLER": self.where.poller,
            "GRIDHALL_LEASE": str(LEASE_S),
            "GRIDHALL_READ_TIMEOUT": "1",
            "GRIDHALL_POLLER_METRICS_PORT": "0",
        }
        (self.folder / str(number)).mkdir()
        log = (self.folder / f"{number}.out").open("wb")
        running = subprocess.Popen(
            [sys.executable, "-m", "webapp", "poller"], cwd=ROOT, env=env, stdout=log, stderr=log
        )
        log.close()
        self.pollers.append(running)
        return running

    def value(self, statement: str, **facts: object) -> Any:
        with unit_of_work(self.office) as session:
            return session.execute(text(statement), facts).scalar()

    def shares(self) -> list[int]:
        """Give how many shards each living poller owns, smallest first."""
        with unit_of_work(self.office) as session:
            rows = session.execute(
                text(
                    "SELECT count(*) FROM metering.poll_shard"
                    " WHERE owner IS NOT NULL AND lease_until > clock_timestamp() GROUP BY owner"
                )
            )
            return sorted(row[0] for row in rows)

    def wait(self, until: Callable[[], Any], what: str, *, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not until():
            if time.monotonic() > deadline:
                pytest.fail(f"waited {seconds} s for {what}: {self.output()}")
            time.sleep(0.1)

    def output(self) -> str:
        return "\n".join(
            (self.folder / f"{n}.out").read_text()[-600:] for n in range(len(self.pollers))
        )

    def asked(self) -> dict[tuple[int, int], list[float]]:
        """Give when each unit was asked for its first block [s since 1970], in order."""
        first = min(one.address for one in self.wire.requests)
        times: dict[tuple[int, int], list[float]] = {}
        for one in self.wire.requests:
            if one.address == first:
                times.setdefault((one.port, one.unit), []).append(one.at_s)
        return times

    def read_late(self) -> set[tuple[int, int, int]]:
        """Give the slots that were read after their end, by port and unit."""
        with unit_of_work(self.office) as session:
            rows = session.execute(text(LATE), {"s": INTERVAL_S, "late": int(Quality.LATE)})
            return {(port, unit, slot) for port, unit, slot in rows}

    def slots_asked(self) -> dict[tuple[int, int], list[int]]:
        """Give the slots each unit was asked in; one stands twice if it was asked twice.

        A round that does not end in its slot asks its last units in the next one. That a
        request was still for the slot before is believed if the reading it brought says so.
        """
        late = self.read_late()
        slots: dict[tuple[int, int], list[int]] = {}
        for (port, unit), times in self.asked().items():
            begins = stagger_s(f"127.0.0.1:{port}", INTERVAL_S)
            found = slots[port, unit] = []
            for at_s in times:
                slot = int((at_s - begins) // INTERVAL_S)
                if (port, unit, slot - 1) in late and slot - 1 not in found:
                    slot -= 1
                found.append(slot)
        return slots

    def told_of(self, port: int, unit: int, slot: int) -> str:
        """Say when a unit was asked around a slot, after the slot's own beginning."""
        begins = slot * INTERVAL_S + stagger_s(f"127.0.0.1:{port}", INTERVAL_S)
        near = [round(at_s - begins, 3) for at_s in self.asked()[port, unit]]
        return f"{port}/{unit} slot {slot}: {[after for after in near if abs(after) < 9]}"


@pytest.fixture
def shared(server: EmbeddedServer, tmp_path: Path) -> Iterator[Fleet]:
    """Give a fleet nobody polls yet."""
    with own_database(server) as where, terminals(PORTS) as wire:
        office = connect(where.office, pool=3)
        with unit_of_work(office) as session:
            days_ahead(session)
            for port in wire.ports:
                for unit in range(1, UNITS + 1):
                    meter(session, port=port, unit=unit, profile="eastron_sdm630")
            session.execute(text("UPDATE metering.terminal SET interval_s = :s"), {"s": INTERVAL_S})
        made = Fleet(where, office, wire, tmp_path)
        try:
            yield made
        finally:
            for one in made.pollers:
                if one.poll() is None:
                    one.send_signal(signal.SIGCONT)
                    one.kill()
                one.wait(10)
            office.dispose()


def test_one_is_killed_one_frozen_one_joins_and_nothing_is_polled_or_stored_twice(
    shared: Fleet,
) -> None:
    killed, frozen, _ = shared.start(), shared.start(), shared.start()
    shared.wait(lambda: shared.shares() == [84, 86, 86], "three even shares")
    time.sleep(3 * INTERVAL_S)
    killed.kill()
    shared.wait(lambda: shared.shares() == [128, 128], "two to share what the dead one had")
    frozen.send_signal(signal.SIGSTOP)
    time.sleep(FROZEN_S)
    frozen.send_signal(signal.SIGCONT)
    shared.wait(lambda: shared.shares() == [128, 128], "the thawed one to get its share again")
    shared.start()
    shared.wait(lambda: shared.shares() == [84, 86, 86], "three even shares again")
    time.sleep(3 * INTERVAL_S)
    for one in shared.pollers:
        one.send_signal(signal.SIGTERM)
    for one in shared.pollers:
        one.wait(30)
    asked = shared.slots_asked()
    twice = [
        (port, unit, slot)
        for (port, unit), slots in asked.items()
        for slot, times in Counter(slots).items()
        if times > 1
    ]
    assert not twice, [shared.told_of(*one) for one in twice]
    stored = shared.value("SELECT count(*) FROM metering.reading")
    assert stored > 0
    assert shared.value("SELECT max(epoch) FROM metering.poll_shard") > 1
    missed_only_while_nobody_had_the_lease(shared, asked)


def missed_only_while_nobody_had_the_lease(
    shared: Fleet, asked: dict[tuple[int, int], list[int]]
) -> None:
    """No unit is left out for longer than a lease takes to end and be taken.

    A poller that died or froze may have read a slot it did not live to store, and one that
    thaws may have missed what its successor had not taken over yet.
    """
    busy = shared.value("SELECT coalesce(sum(slots), 0) FROM metering.poll_missed")
    longest = busy + int((LEASE_S + lease_margin_s(LEASE_S) + 2 * INTERVAL_S) // INTERVAL_S) + 1
    assert len(asked) == PORTS * UNITS
    for unit, slots in asked.items():
        holes = [after - before - 1 for before, after in pairwise(sorted(slots))]
        assert max(holes) <= longest, (unit, holes)
        assert sum(1 for hole in holes if hole) <= 3 + busy, (unit, holes)
