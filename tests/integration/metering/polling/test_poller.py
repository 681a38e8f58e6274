"""The poller on real sockets and a real database: slots, hot changes, the database away."""

import asyncio

from foundation.db import unit_of_work
from metering.devices.actions import set_in_service, set_interval
from metering.polling import counters
from metering.polling.types import WithoutLease
from tests.factories.foundation import SYSTEM
from tests.integration.metering.polling.conftest import Field, until


def terminal_no(field: Field, terminal_id: int | None) -> str:
    return str(
        field.value("SELECT terminal_no FROM metering.terminal WHERE id = :i", i=terminal_id)
    )


def held_slots() -> float:
    return counters.MISSED.labels("held")._value.get()


def test_every_slot_is_asked_once_and_stored(outdoors: Field) -> None:
    async def scene() -> None:
        one, two = outdoors.fit(outdoors.wire.ports[0], 1), outdoors.fit(outdoors.wire.ports[0], 2)
        async with outdoors.polling():
            await until(lambda: outdoors.readings(one) >= 4, "four readings")
            await until(lambda: outdoors.readings(two) >= 4, "four readings of the other unit")
        assert outdoors.wire.connects == [outdoors.wire.ports[0]]
        assert outdoors.holes(one) == outdoors.missed()  # none, unless this machine stood still
        assert outdoors.doubles() == 0

    asyncio.run(scene())


def test_a_device_comes_and_goes_and_no_other_link_drops(outdoors: Field) -> None:
    async def scene() -> None:
        first, second = outdoors.wire.ports[:2]
        stays, goes = outdoors.fit(first, 1), outdoors.fit(first, 2)
        async with outdoors.polling() as poller:
            await until(lambda: outdoors.readings(stays), "the first reading")
            await until(lambda: outdoors.readings(goes), "the reading of the other")
            comes = outdoors.fit(second, 1)
            joins = outdoors.fit(first, 3)
            await until(lambda: outdoors.readings(comes), "a reading behind a new connection")
            await until(lambda: outdoors.readings(joins), "a reading of a new unit")
            with unit_of_work(outdoors.office) as session:
                set_in_service(
                    session,
                    SYSTEM,
                    terminal_no(outdoors, goes.terminal_id),
                    in_service=False,
                    reason="test",
                )
            await until(lambda: poller.connections.terminals == 3, "the poller to let one go")
            with unit_of_work(outdoors.office) as session:
                set_interval(
                    session, SYSTEM, terminal_no(outdoors, joins.terminal_id), interval_s=86_400
                )
            seen = outdoors.readings(stays)
            await until(lambda: outdoors.readings(stays) > seen + 1, "the others to go on")
        assert outdoors.wire.connects == [first, second]

    asyncio.run(scene())


def test_while_the_database_is_away_readings_wait_on_the_disk_and_are_stored_once(
    outdoors: Field,
) -> None:
    async def scene() -> None:
        one = outdoors.fit(outdoors.wire.ports[0], 1)
        async with outdoors.polling() as poller:
            await until(lambda: outdoors.readings(one) >= 2, "two readings")
            outdoors.cut_off()
            await until(lambda: poller.sink.spool_bytes, "the spool to fill")
            asked = len(outdoors.wire.requests)
            await until(lambda: len(outdoors.wire.requests) > asked + 6, "polling to go on")
            outdoors.give_back()
            await until(lambda: not poller.sink.spool_bytes, "the spool to drain")
            seen = outdoors.readings(one)
            await until(lambda: outdoors.readings(one) > seen, "readings to go on")
        assert outdoors.holes(one) == outdoors.missed()  # none, unless this machine stood still
        assert outdoors.doubles() == 0
        assert not list((outdoors.folder / "spool").glob("*/*.spool"))

    asyncio.run(scene())


def test_a_site_that_stops_without_lease_asks_nothing_more_until_the_database_is_back(
    outdoors: Field,
) -> None:
    async def scene() -> None:
        one = outdoors.fit(outdoors.wire.ports[0], 1)
        me = outdoors.setup.me
        stops = type(me)(me.worker, me.name, me.site, ttl_s=2.0, without=WithoutLease.STOP)
        async with outdoors.polling(me=stops) as poller:
            await until(lambda: outdoors.readings(one), "a reading")
            outdoors.cut_off()
            await until(lambda: not poller.connections.terminals, "polling to stop")
            asked = len(outdoors.wire.requests)
            await asyncio.sleep(1.5)
            assert len(outdoors.wire.requests) == asked
            outdoors.give_back()
            seen = outdoors.readings(one)
            await until(lambda: outdoors.readings(one) > seen + 1, "polling to go on")
        assert outdoors.doubles() == 0

    asyncio.run(scene())


def test_a_full_spool_holds_polling_and_says_so_and_loses_nothing_it_has(
    outdoors: Field,
) -> None:
    async def scene() -> None:
        one = outdoors.fit(outdoors.wire.ports[0], 1)
        async with outdoors.polling(spool_limit_bytes=2500) as poller:
            await until(lambda: outdoors.readings(one), "a reading")
            outdoors.cut_off()
            await until(lambda: not poller.sink.accepts, "the spool to be full")
            assert counters.SPOOL_HELD._value.get() == 1
            before = held_slots()
            await until(lambda: held_slots() > before, "a slot to be missed")
            outdoors.give_back()
            await until(lambda: poller.sink.accepts, "room again")
            seen = outdoors.readings(one)
            await until(lambda: outdoors.readings(one) > seen + 1, "polling to go on")
            held = "SELECT sum(slots) FROM metering.poll_missed WHERE why = 'held'"
            await until(lambda: outdoors.value(held), "the missed slots to be written down")
        assert counters.SPOOL_HELD._value.get() == 0
        assert outdoors.holes(one) == outdoors.missed()

    asyncio.run(scene())


def test_a_silent_terminal_is_told_once_and_its_return_too(outdoors: Field) -> None:
    async def scene() -> None:
        one = outdoors.fit(outdoors.wire.ports[0], 1)
        outdoors.wire.is_mute = True
        told = "SELECT count(*) FROM foundation.event WHERE name = :name"
        async with outdoors.polling():
            await until(lambda: outdoors.value(told, name="TerminalsSilent"), "silence to be told")
            outdoors.wire.is_mute = False
            await until(lambda: outdoors.value(told, name="TerminalsBack"), "its return")
            await until(lambda: outdoors.readings(one) >= 2, "readings")
        assert outdoors.value(told, name="TerminalsSilent") == 1
        assert outdoors.value(told, name="TerminalsBack") == 1

    asyncio.run(scene())
