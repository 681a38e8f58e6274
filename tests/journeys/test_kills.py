"""kill -9 of any process, at any moment: no reading twice, no event lost, no ticket half done."""

import pytest

from tests.journeys.conftest import RunningOffice

pytestmark = pytest.mark.slow

PATIENCE_S = 240
"""A job that met a dead database is tried again later, each time after a longer pause."""


def stands(town: RunningOffice, meter: str) -> bool:
    """Whether an alert of a meter stands."""
    return bool(
        town.value(
            "SELECT count(*) FROM loadmgmt.alert a JOIN metering.meter m USING (point_id)"
            " WHERE m.meter_no = :no AND a.ended_at IS NULL AND a.kind = 'under_voltage'",
            no=meter,
        )
    )


def ended(town: RunningOffice, meter: str) -> bool:
    """Whether the under-voltage of a meter has ended; a dead simulator also made it offline."""
    return bool(
        town.value(
            "SELECT count(*) FROM loadmgmt.alert a JOIN metering.meter m USING (point_id)"
            " WHERE m.meter_no = :no AND a.ended_at IS NOT NULL AND a.kind = 'under_voltage'",
            no=meter,
        )
    )


@pytest.mark.parametrize(
    ("victim", "meter"),
    [
        ("poller", "M-1101-0001"),
        ("worker", "M-1101-0002"),
        ("web", "M-1101-0003"),
        ("simulator", "M-1101-0004"),
        ("postgres", "M-1101-0005"),
    ],
)
def test_the_road_goes_on_after_a_kill(town: RunningOffice, victim: str, meter: str) -> None:
    town.command("simulate", "sag", meter, "--to", "0.80")
    town.kill(victim)
    town.wait(lambda: stands(town, meter), f"the alert in spite of a dead {victim}", seconds=60)
    town.wait(town.is_ready, "the office to be whole again", seconds=60)
    town.kill(victim)
    town.wait(town.is_ready, "the office to be whole again", seconds=60)
    town.wait(lambda: ordered(town, meter), "the simulator to take orders", seconds=60)
    town.wait(lambda: ended(town, meter), f"the end in spite of a dead {victim}", seconds=60)
    nothing_is_lost(town, meter)


def ordered(town: RunningOffice, meter: str) -> bool:
    """Clear the fault, as soon as there is a simulator to tell."""
    import subprocess

    try:
        town.command("simulate", "clear", meter)
    except subprocess.CalledProcessError:
        return False
    return True


def nothing_is_lost(town: RunningOffice, meter: str) -> None:
    """One alert with one beginning and one end; every event delivered; every batch judged."""
    past = town.value(
        "SELECT string_agg(h.what, ' ' ORDER BY h.id) FROM loadmgmt.alert_history h"
        " JOIN loadmgmt.alert a ON a.id = h.alert_id JOIN metering.meter m USING (point_id)"
        " WHERE m.meter_no = :no AND a.kind = 'under_voltage'",
        no=meter,
    )
    assert past == "raised cleared"
    delivered = (
        "SELECT count(*) FROM jobs.procrastinate_jobs WHERE args ? 'event_id'"
        " AND status IN ('todo', 'doing')"
    )
    town.wait(lambda: town.value(delivered) == 0, "every event to be delivered", seconds=PATIENCE_S)
    assert town.value("SELECT count(*) FROM jobs.procrastinate_jobs WHERE status = 'failed'") == 0
    late = (
        "SELECT count(*) FROM metering.reading_batch"
        " WHERE judged_at IS NULL AND stored_at < now() - interval '5 seconds'"
    )
    town.wait(lambda: town.value(late) == 0, "every batch to be judged")
    doubles = town.value(
        "SELECT count(*) FROM (SELECT 1 FROM metering.reading GROUP BY ts, meter_id"
        " HAVING count(*) > 1) d"
    )
    assert doubles == 0


def test_a_storm_of_calls_is_one_outage_and_one_ticket_in_spite_of_a_dead_worker(
    town: RunningOffice,
) -> None:
    """What follows a call is a job committed with it: whoever starts next does it."""
    of_area = (
        "FROM loadmgmt.outage o JOIN metering.transformer_area a ON a.id = o.area_id"
        " WHERE a.area_no = 'TG-1111'"
    )
    town.kill("worker")
    said = town.command("simulate", "storm", "TG-1111", "--calls", "50")
    town.kill("worker")
    assert said.startswith("50 of 50")
    ticket = f"SELECT max(o.ticket_no) {of_area}"
    town.wait(lambda: town.value(ticket), "the outage's ticket in spite of a dead worker",
              seconds=60)  # fmt: skip
    assert town.value(f"SELECT count(*) {of_area}") == 1
    tickets = (
        "SELECT count(*) FROM callcenter.ticket t"
        " JOIN metering.transformer_area a ON a.id = t.area_id WHERE a.area_no = 'TG-1111'"
        " AND t.ended_at IS NULL"
    )
    assert town.value(tickets) == 1
    todo = (
        "SELECT count(*) FROM jobs.procrastinate_jobs WHERE args ? 'event_id'"
        " AND status IN ('todo', 'doing')"
    )
    town.wait(lambda: town.value(todo) == 0, "every event to be delivered", seconds=PATIENCE_S)


def test_no_ticket_is_half_done(town: RunningOffice) -> None:
    """Every ticket has its case, its history and its alert, whatever was killed."""
    unbegun = (
        "SELECT count(*) FROM callcenter.ticket t LEFT JOIN foundation.flow_history h"
        " ON h.case_id = t.case_id AND h.move = 'start' WHERE h.id IS NULL"
    )
    orphans = (
        "SELECT count(*) FROM foundation.flow_case c LEFT JOIN callcenter.ticket t"
        " ON t.case_id = c.id LEFT JOIN customers.application a ON a.case_id = c.id"
        " WHERE t.id IS NULL AND a.id IS NULL"
    )
    unknown_to_alert = (
        "SELECT count(*) FROM callcenter.ticket t JOIN loadmgmt.alert a ON a.id = t.alert_id"
        " WHERE t.ended_at IS NULL AND a.ticket_no IS DISTINCT FROM t.ticket_no"
    )
    assert [town.value(sql) for sql in (unbegun, orphans, unknown_to_alert)] == [0, 0, 0]


def test_a_second_start_keeps_the_data_and_the_faults(town: RunningOffice) -> None:
    town.command("simulate", "sag", "M-1102-0001", "--to", "0.80")
    town.wait(lambda: stands(town, "M-1102-0001"), "the alert")
    readings = town.value("SELECT count(*) FROM metering.reading")
    town.stop()
    town._engine = None
    town.start()
    assert town.value("SELECT count(*) FROM metering.reading") >= readings
    assert stands(town, "M-1102-0001")
    town.command("simulate", "clear", "M-1102-0001")
    town.wait(lambda: ended(town, "M-1102-0001"), "the end after the restart")
