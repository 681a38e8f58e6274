"""A meter's own freezes fill what was missed, by the terminal's own stamps."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from foundation.db import unit_of_work
from metering.modbus.profile import load_profiles
from metering.polling.remembering import source_for
from metering.readings.types import Quality, Source
from tests.integration.metering.polling.conftest import Field, until
from tests.integration.metering.polling.test_commanding import a_terminal, fitted

SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_a_missed_hour_comes_from_the_meters_own_freezes(outdoors: Field) -> None:
    async def scene() -> None:
        now = datetime.now(UTC)
        slot = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
        between = slot + timedelta(minutes=7)  # no period ends there: nobody remembers it
        async with a_terminal() as (_simulator, port):
            one = fitted(outdoors, port)
            with unit_of_work(outdoors.office) as session:
                for at in (slot, between):
                    session.execute(
                        text("INSERT INTO metering.gap (ts, meter_id, interval_s)"
                             " VALUES (:ts, :m, 60)"),
                        {"ts": at, "m": one.meter_id},
                    )  # fmt: skip
            async with outdoors.polling(source_of=source_for(SHANGHAI)):
                await until(
                    lambda: outdoors.value("SELECT count(*) FROM metering.gap") == 1,
                    "the gap to be filled",
                )
        with unit_of_work(outdoors.office) as session:
            row = session.execute(
                text("SELECT quality, source, wh_import FROM metering.reading"
                     " WHERE meter_id = :m AND ts = :ts"),
                {"m": one.meter_id, "ts": slot},
            ).one()  # fmt: skip
        assert Quality(row.quality) == Quality.BACKFILLED
        assert Source(row.source) is Source.LOAD_PROFILE
        assert row.wh_import > 0

    asyncio.run(scene())


def test_a_model_without_freezes_has_no_reader() -> None:
    profiles = load_profiles()
    source_of = source_for(SHANGHAI)
    assert source_of(profiles["eastron_sdm630"]) is None
    assert source_of(profiles["acrel_adl400"]) is not None


@given(minutes=st.integers(-60, 4000))
def test_only_kept_periods_are_remembered(minutes: int) -> None:
    profile = load_profiles()["demo_single"]
    source, quarters = source_for(SHANGHAI)(profile), profile.freeze("quarter")
    assert source is not None
    assert quarters is not None
    now = datetime(2026, 6, 18, 4, 30, tzinfo=UTC)
    slot = now - timedelta(minutes=minutes)
    kept = minutes % 15 == 0 and 0 <= minutes < 15 * quarters.entries
    if slot.astimezone(SHANGHAI).hour or slot.minute:
        assert source.remembers(slot, now=now) is kept
    else:
        assert source.remembers(slot, now=now)  # midnight: its days are kept for longer
