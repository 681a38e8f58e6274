"""The terminals' own clocks: a wrong one is told once, and again when it is right."""

import asyncio
from dataclasses import replace

from metering.devices.rules import Clocks
from metering.polling.rules import is_clock_wrong
from tests.integration.metering.polling.conftest import Field, until
from tests.integration.metering.polling.test_commanding import a_terminal, fitted

OFTEN = Clocks(check_every_s=0, first_within_s=0, look_every_s=0, limit_s=60)
TOLD = "SELECT count(*) FROM metering.reading_event WHERE kind = 'clock'"
STANDS = TOLD + " AND ended_at IS NULL"


def test_a_clock_is_wrong_beyond_the_limit_or_without_a_date() -> None:
    assert [is_clock_wrong(drift, 60) for drift in (0.0, 60.0, -60.0, 60.1, -61.0, None)] == [
        False,
        False,
        False,
        True,
        True,
        True,
    ]


def test_a_wrong_clock_is_told_once_and_ends_when_it_is_right(outdoors: Field) -> None:
    async def scene() -> None:
        async with a_terminal() as (simulator, port):
            one = fitted(outdoors, port)
            timetable = replace(outdoors.setup.timetable, clocks=replace(OFTEN, look_every_s=1))
            await simulator.execute({"order": "clock_drift", "target": "M1", "seconds": 600})
            async with outdoors.polling(timetable=timetable):
                await until(lambda: outdoors.value(STANDS) == 1, "the drift to be told")
                facts = outdoors.value(
                    "SELECT facts->>'drift_s' FROM metering.reading_event WHERE meter_id = :m",
                    m=one.meter_id,
                )
                assert abs(int(facts) - 600) <= 5
                await simulator.execute({"order": "clear", "target": "M1"})
                await until(lambda: outdoors.value(STANDS) == 0, "the drift to end")
            assert outdoors.value(TOLD) == 1

    asyncio.run(scene())
