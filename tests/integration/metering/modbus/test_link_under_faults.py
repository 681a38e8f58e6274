"""The link against every fault: no wrong value, the right error, and the next good read works."""

import asyncio
from collections.abc import Callable

import pytest

from foundation.errors import GridhallError
from metering.modbus.errors import ExceptionReply, GarbledReply, LinkDown, NoReply
from metering.modbus.link import Link, Priority
from metering.modbus.plan import Block

pytestmark = pytest.mark.usefixtures("wire_kind")
PATIENCE_S = 10.0
SHORT_S = 0.05
BLOCK = Block(3, 0, 44)
INPUTS = Block(2, 0, 1)


@pytest.mark.parametrize(
    ("order", "fields", "error"),
    [
        ("silence", {}, NoReply),
        ("outage", {"dark": True}, NoReply),
        ("exception", {"code": 6}, ExceptionReply),
        ("truncated", {}, GarbledReply),
        ("wrong_transaction", {}, NoReply),
        ("wrong_unit", {}, GarbledReply),
        ("huge_length", {}, GarbledReply),
        ("slow", {"seconds": 0.2}, NoReply),
    ],
)
def test_a_fault_gives_its_error_and_the_next_good_read_is_right(
    town_of: Callable, order: str, fields: dict[str, object], error: type[GridhallError]
) -> None:
    async def scene() -> None:
        async with town_of() as town:
            link = town.link()
            town.assert_true(await town.values(link))
            await town.order(order, **fields)
            with pytest.raises(error):
                await link.read(1, BLOCK, timeout_s=SHORT_S)
            await town.order("clear")
            town.clock.now += 3600
            town.assert_true(await town.values(link))

    asyncio.run(scene())


def test_an_exception_reply_carries_its_code_and_keeps_the_connection(town_of: Callable) -> None:
    async def scene() -> None:
        async with town_of() as town:
            link = town.link()
            with pytest.raises(ExceptionReply) as caught:
                await link.read(1, Block(3, 0x30, 1), timeout_s=PATIENCE_S)
            assert caught.value.exception == 2
            assert caught.value.facts["address"] == 0x30
            await town.values(link)
            assert link.counters.connects == 1
            assert link.counters.exceptions == 1

    asyncio.run(scene())


def test_a_late_reply_never_answers_another_request(town_of: Callable, unit_of: Callable) -> None:
    async def scene() -> None:
        async with town_of(unit_of(1), unit_of(2)) as town:
            link = town.link()
            truth = await link.read(2, BLOCK, timeout_s=PATIENCE_S)
            other = await link.read(1, BLOCK, timeout_s=PATIENCE_S)
            assert truth != other
            await town.order("slow", "M1", seconds=0.1)
            await town.order("slow", "M2", seconds=0.3)
            with pytest.raises(NoReply):
                await link.read(1, BLOCK, timeout_s=SHORT_S)
            # the late reply of unit 1 arrives while unit 2 is being asked for the same registers
            assert await link.read(2, BLOCK, timeout_s=PATIENCE_S) == truth
            assert link.counters.late == 1
            assert link.counters.timeouts == 1
            assert link.counters.connects == 1

    asyncio.run(scene())


def test_a_stray_reply_is_counted_and_dropped(town_of: Callable) -> None:
    async def scene() -> None:
        async with town_of() as town:
            link = town.link()
            await town.order("wrong_transaction")
            with pytest.raises(NoReply):
                await link.read(1, BLOCK, timeout_s=SHORT_S)
            assert (link.counters.stray, link.counters.late) == (1, 0)

    asyncio.run(scene())


def test_one_silent_unit_leaves_the_others_on_its_address_readable(
    town_of: Callable, unit_of: Callable
) -> None:
    async def scene() -> None:
        async with town_of(*(unit_of(number) for number in range(1, 9))) as town:
            link = town.link()
            await town.order("silence", "M4")
            reads = [link.read(number, BLOCK, timeout_s=1.0) for number in range(1, 9)]
            answers = await asyncio.gather(*reads, return_exceptions=True)
            assert [type(answer) for answer in answers] == [
                NoReply if number == 4 else bytes for number in range(1, 9)
            ]
            assert len({answer for answer in answers if isinstance(answer, bytes)}) == 7

    asyncio.run(scene())


def test_an_unknown_unit_is_the_gateways_exception_or_silence(town_of: Callable) -> None:
    async def scene() -> None:
        async with town_of() as town:
            with pytest.raises(ExceptionReply) as caught:
                await town.link().read(77, BLOCK, timeout_s=PATIENCE_S)
            assert caught.value.exception == 0x0B
        async with town_of(unknown_unit="silent") as town:
            with pytest.raises(NoReply):
                await town.link().read(77, BLOCK, timeout_s=SHORT_S)

    asyncio.run(scene())


def test_more_urgent_requests_go_first(town_of: Callable) -> None:
    async def scene() -> None:
        async with town_of() as town:
            link, order = town.link(), []

            async def ask(name: str, priority: Priority) -> None:
                await link.read(1, INPUTS, timeout_s=PATIENCE_S, priority=priority)
                order.append(name)

            asked = [
                ("backfill", Priority.BACKFILL),
                ("poll 1", Priority.POLL),
                ("poll 2", Priority.POLL),
                ("alarm", Priority.ALARM),
                ("on demand", Priority.ON_DEMAND),
                ("control", Priority.CONTROL),
            ]
            await asyncio.gather(*(ask(*one) for one in asked))
            assert order == ["control", "alarm", "on demand", "poll 1", "poll 2", "backfill"]

    asyncio.run(scene())


def test_a_caller_who_gave_up_does_not_disturb_the_next(town_of: Callable) -> None:
    async def scene() -> None:
        async with town_of() as town:
            link = town.link()
            await town.values(link)
            await town.order("slow", seconds=0.1)
            gone = asyncio.ensure_future(link.read(1, BLOCK, timeout_s=PATIENCE_S))
            waiting = asyncio.ensure_future(link.read(1, INPUTS, timeout_s=PATIENCE_S))
            never = asyncio.ensure_future(link.read(1, BLOCK, timeout_s=PATIENCE_S))
            await asyncio.sleep(0.01)
            gone.cancel()
            never.cancel()
            assert await waiting == b"\x00"
            assert link.counters.stray == 0

    asyncio.run(scene())


def test_nobody_there_is_link_down_for_everyone_who_waits() -> None:
    async def scene() -> None:
        server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        link = Link("127.0.0.1", port)
        reads = [link.read(1, BLOCK, timeout_s=PATIENCE_S) for _ in range(3)]
        answers = await asyncio.gather(*reads, return_exceptions=True)
        assert [type(answer) for answer in answers] == [LinkDown] * 3
        assert link.counters.connect_failures == 1
        assert link.counters.requests == 0
        await link.close()

    asyncio.run(scene())


def test_a_link_that_backs_off_longer_than_a_caller_would_wait_says_so_at_once() -> None:
    async def scene() -> None:
        link = Link("127.0.0.1", 9)
        link._reconnect.at = asyncio.get_running_loop().time() + 60
        with pytest.raises(LinkDown, match="backing off"):
            await link.read(1, BLOCK, timeout_s=1)
        await link.close()

    asyncio.run(scene())


def test_a_restarted_terminal_is_reached_again(town_of: Callable, unit_of: Callable) -> None:
    async def scene() -> None:
        async with town_of() as first:
            link, port = first.link(), first.port
            await first.values(link)
            await first.simulator.stop()
            async with town_of(unit_of(1, port=port)) as second:
                second.assert_true(await second.values(link))
            assert link.counters.connects == 2
            assert link.counters.garbled == 0

    asyncio.run(scene())


def test_a_connection_that_dies_under_a_request_is_link_down(town_of: Callable) -> None:
    async def scene() -> None:
        async with town_of() as town:
            link = town.link()
            await town.values(link)
            await town.order("silence")
            reading = asyncio.ensure_future(link.read(1, BLOCK, timeout_s=PATIENCE_S))
            await asyncio.sleep(0.02)
            await town.simulator.stop()
            with pytest.raises(LinkDown):
                await reading

    asyncio.run(scene())


def test_a_terminal_that_never_answers_is_connected_to_anew(town_of: Callable) -> None:
    async def scene() -> None:
        async with town_of() as town:
            link = town.link()
            await town.order("silence")
            for _ in range(3):
                with pytest.raises(NoReply):
                    await link.read(1, BLOCK, timeout_s=SHORT_S)
            assert not link.is_up
            await town.order("clear")
            town.assert_true(await town.values(link))

    asyncio.run(scene())


def test_closing_tells_whoever_waits_and_refuses_later_reads(town_of: Callable) -> None:
    async def scene() -> None:
        async with town_of() as town:
            link = town.link()
            await town.values(link)
            await town.order("silence")
            reads = [
                asyncio.ensure_future(link.read(1, BLOCK, timeout_s=PATIENCE_S)) for _ in range(3)
            ]
            await asyncio.sleep(0.02)
            await link.close()
            answers = await asyncio.gather(*reads, return_exceptions=True)
            assert [type(answer) for answer in answers] == [LinkDown] * 3
            with pytest.raises(LinkDown, match="closed"):
                await link.read(1, BLOCK, timeout_s=1)

    asyncio.run(scene())


def test_closing_while_connecting_hangs_nobody() -> None:
    async def scene() -> None:
        link = Link("127.0.0.1", 9)
        link._reconnect.at = asyncio.get_running_loop().time() + 5
        reading = asyncio.ensure_future(link.read(1, BLOCK, timeout_s=60))
        await asyncio.sleep(0)
        await link.close()
        with pytest.raises(LinkDown):
            await reading

    asyncio.run(scene())


def test_pauses_are_kept_and_every_outcome_is_observed(town_of: Callable) -> None:
    async def scene() -> None:
        async with town_of() as town:
            seen: list[tuple[int, str]] = []
            link = town.link(
                min_gap_ms=20,
                connect_pause_ms=20,
                observe=lambda unit, outcome, _seconds: seen.append((unit, outcome)),
            )
            loop = asyncio.get_running_loop()
            start = loop.time()
            for _ in range(3):
                await link.read(1, INPUTS, timeout_s=PATIENCE_S)
            assert loop.time() - start >= 0.06
            await town.order("exception")
            with pytest.raises(ExceptionReply):
                await link.read(1, INPUTS, timeout_s=PATIENCE_S)
            assert seen == [(1, "ok")] * 3 + [(1, "exception_reply")]

    asyncio.run(scene())


def test_bytes_nobody_asked_for_cost_the_connection_not_the_next_answer() -> None:
    async def scene() -> None:
        talks = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal talks
            talks += 1
            request = await reader.read(260)
            if talks == 1:
                writer.write(request[:6] + b"\x01\x02\x01\x01" + b"\x99\x99\x00")
            else:
                writer.write(request[:4] + b"\x00\x04\x01\x02\x01\x01")
            await reader.read(260)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        link = Link("127.0.0.1", server.sockets[0].getsockname()[1])
        with pytest.raises(GarbledReply):
            await link.read(1, INPUTS, timeout_s=PATIENCE_S)
        assert await link.read(1, INPUTS, timeout_s=PATIENCE_S) == b"\x01"
        await link.close()
        server.close()
        await server.wait_closed()

    asyncio.run(scene())
