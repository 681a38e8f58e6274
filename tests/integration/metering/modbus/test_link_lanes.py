"""Depth, breakers and resting units of one link; blocks refused and split; commands on the wire."""

import asyncio
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from foundation.errors import Refused
from metering.modbus.breaker import OPEN_AFTER, BreakerState, Unit
from metering.modbus.commanding import CommandState, carry_out, read_clock, set_clock
from metering.modbus.controls import NoSuchCommand, Write
from metering.modbus.decode import decode
from metering.modbus.errors import ExceptionReply, NoReply, UnitResting
from metering.modbus.link import Link, Priority
from metering.modbus.link_metrics import LinkMetrics
from metering.modbus.meter_clock import ClockNotSettable
from metering.modbus.plan import Block, compile_plan
from metering.modbus.profile import load_profiles
from metering.modbus.reading import Learned, read_terminal
from metering.modbus.simulated_unit import Exceptional
from metering.polling.types import LeaseEnded

PATIENCE_S = 10.0
SHORT_S = 0.05
BLOCK = Block(3, 0, 44)
SHANGHAI = ZoneInfo("Asia/Shanghai")
PROFILES = load_profiles()


async def allowed() -> None:
    """Nothing forbids it."""


async def exhaust(link: Link, unit: int) -> None:
    """Ask a mute unit until it rests."""
    for _ in range(OPEN_AFTER):
        with pytest.raises(NoReply):
            await link.read(unit, BLOCK, timeout_s=SHORT_S)


def test_a_deep_link_keeps_units_in_flight_side_by_side_but_each_only_once(
    town_of: Callable, unit_of: Callable
) -> None:
    async def scene() -> None:
        async with town_of(*(unit_of(number) for number in (1, 2, 3, 4))) as town:
            link, seen = town.link(depth=4), []
            for number in (1, 2, 3, 4):
                await link.read(number, BLOCK, timeout_s=PATIENCE_S)
            await town.order("slow", "M1", seconds=0.3)

            async def ask(number: int) -> None:
                await link.read(number, BLOCK, timeout_s=PATIENCE_S)
                seen.append(number)

            await asyncio.gather(*(ask(number) for number in (1, 1, 2, 3, 4, 2, 3, 4)))
            assert seen[-2:] == [1, 1]
            assert sorted(seen[:6]) == [2, 2, 3, 3, 4, 4]
            assert link.counters.connects == 1

    asyncio.run(scene())


def test_a_dead_unit_holds_up_nobody_on_a_deep_link(town_of: Callable, unit_of: Callable) -> None:
    async def scene() -> None:
        async with town_of(*(unit_of(number) for number in range(1, 9))) as town:
            link, done = town.link(depth=4), []
            await town.order("silence", "M3")

            async def ask(number: int) -> None:
                try:
                    await link.read(number, BLOCK, timeout_s=1.0)
                finally:
                    done.append(number)

            await asyncio.gather(*(ask(n) for n in range(1, 9)), return_exceptions=True)
            assert done[-1] == 3

    asyncio.run(scene())


def test_a_unit_that_failed_stands_behind_its_neighbours(
    town_of: Callable, unit_of: Callable
) -> None:
    async def scene() -> None:
        async with town_of(*(unit_of(number) for number in (1, 2, 3))) as town:
            link, order = town.link(), []
            await town.order("silence", "M1")
            with pytest.raises(NoReply):
                await link.read(1, BLOCK, timeout_s=SHORT_S)

            async def ask(number: int) -> None:
                try:
                    await link.read(number, BLOCK, timeout_s=SHORT_S)
                finally:
                    order.append(number)

            first = asyncio.create_task(ask(3))
            await asyncio.sleep(0)
            await asyncio.gather(*(ask(n) for n in (1, 2)), return_exceptions=True)
            await first
            assert order == [3, 2, 1]

    asyncio.run(scene())


def test_a_request_that_waited_does_not_leave_when_it_is_forbidden_meanwhile(
    town_of: Callable, unit_of: Callable
) -> None:
    async def scene() -> None:
        async with town_of(unit_of(1), unit_of(2)) as town:
            over: list[LeaseEnded] = []
            link = town.link(forbids=lambda: over[0] if over else None)
            await town.order("slow", "M1", seconds=0.2)
            first = asyncio.ensure_future(link.read(1, BLOCK, timeout_s=PATIENCE_S))
            waiting = [
                asyncio.ensure_future(link.read(2, BLOCK, timeout_s=PATIENCE_S)) for _ in range(3)
            ]
            while link.counters.requests == 0:  # noqa: ASYNC110 - not ours to signal
                await asyncio.sleep(0)
            over.append(LeaseEnded())
            assert await first
            came = await asyncio.gather(*waiting, return_exceptions=True)
            assert [type(one) for one in came] == [LeaseEnded] * 3
            assert link.counters.requests == 1
            over.clear()
            assert await link.read(2, BLOCK, timeout_s=PATIENCE_S)

    asyncio.run(scene())


@pytest.mark.parametrize("framing", ["mbap", "rtu"])
def test_a_unit_that_never_answers_rests_and_whoever_insists_is_let_by(
    town_of: Callable, unit_of: Callable, framing: str
) -> None:
    async def scene() -> None:
        units = [unit_of(number, framing=framing) for number in (1, 2)]
        async with town_of(*units) as town:
            link = town.link(framing=framing)
            await link.read(1, BLOCK, timeout_s=PATIENCE_S)
            await town.order("silence", "M2")
            await exhaust(link, 2)
            assert link.breakers() == {1: BreakerState.CLOSED, 2: BreakerState.OPEN}
            before = link.counters.requests
            with pytest.raises(UnitResting):
                await link.read(2, BLOCK, timeout_s=SHORT_S)
            assert (link.counters.requests, link.counters.rested) == (before, 1)
            await town.order("clear")
            await town.order("clear", "M2")
            await link.read(2, BLOCK, timeout_s=PATIENCE_S, priority=Priority.ON_DEMAND)
            assert link.breakers()[2] is BreakerState.CLOSED
            await link.read(2, BLOCK, timeout_s=PATIENCE_S)

    asyncio.run(scene())


@pytest.mark.parametrize(("code", "state"), [(0x0A, "open"), (0x0B, "open"), (4, "closed")])
def test_what_a_gateway_says_of_a_unit_counts_against_the_unit_and_not_its_own_exceptions(
    town_of: Callable, unit_of: Callable, code: int, state: str
) -> None:
    async def scene() -> None:
        async with town_of(unit_of(1), unit_of(2)) as town:
            link = town.link()
            await link.read(1, BLOCK, timeout_s=PATIENCE_S)
            await town.order("exception", "M2", code=code)
            for _ in range(OPEN_AFTER):
                with pytest.raises(ExceptionReply) as caught:
                    await link.read(2, BLOCK, timeout_s=PATIENCE_S)
                assert caught.value.is_of_gateway == (state == "open")
            assert link.breakers()[2] == state
            assert link.counters.connects == 1

    asyncio.run(scene())


def test_a_resting_unit_is_tried_by_one_request_and_rests_longer_if_that_fails() -> None:
    unit = Unit(1)
    for _ in range(OPEN_AFTER):
        unit.failed(100.0)
    first_s = unit.rests_for_s(100.0)
    assert not unit.may_be_asked(100.0)
    assert unit.may_be_asked(100.0 + first_s)
    assert unit.state(100.0 + first_s) is BreakerState.HALF_OPEN
    assert not unit.may_be_asked(100.0 + first_s)
    unit.failed(200.0)
    assert unit.rests_for_s(200.0) >= 10.0
    unit.answered(0.1)
    assert unit.may_be_asked(200.0)


def test_a_refused_block_is_split_until_it_is_answered_and_that_is_remembered(
    town_of: Callable,
) -> None:
    async def scene() -> None:
        async with town_of() as town:
            link, learned = town.link(), Learned()
            terminal = town.simulator.terminals["M1"]
            plan = compile_plan(PROFILES["demo_terminal"])
            truth = await read_terminal(link, 1, plan, timeout_s=PATIENCE_S)
            whole = dict(zip(plan.columns, decode(plan, truth.replies), strict=True))
            narrow = _refusing(terminal, most=8)
            terminal.read = narrow  # type: ignore[method-assign]  a firmware that gives less
            answers = await read_terminal(
                link, 1, plan, timeout_s=PATIENCE_S, learned=learned, key="M1"
            )
            values = decode(answers.plan, answers.replies)
            assert dict(zip(answers.plan.columns, values, strict=True)) == whole
            asked = link.counters.exceptions
            again = await read_terminal(
                link, 1, plan, timeout_s=PATIENCE_S, learned=learned, key="M1"
            )
            assert link.counters.exceptions == asked > 0
            assert not again.errors

    asyncio.run(scene())


def _refusing(terminal: object, *, most: int) -> Callable[..., bytes]:
    inner = terminal.read  # type: ignore[attr-defined]

    def read(function: int, address: int, count: int, t: float) -> bytes:
        if function == 3 and count > most:
            raise Exceptional(2)
        return inner(function, address, count, t)

    return read


def test_a_terminal_that_refuses_everything_teaches_nothing(
    town_of: Callable, unit_of: Callable
) -> None:
    async def scene() -> None:
        async with town_of(unit_of(1, "eastron_sdm630")) as town:
            learned, plan = Learned(), compile_plan(PROFILES["chint_dtsu666"])
            answers = await read_terminal(
                town.link(), 1, plan, timeout_s=PATIENCE_S, learned=learned, key="M1"
            )
            assert answers.plan is plan
            assert answers.errors
            assert learned.plan_for("M1", plan) is plan

    asyncio.run(scene())


@pytest.mark.parametrize("framing", ["mbap", "rtu"])
def test_a_command_is_written_read_back_and_proved_by_the_current(
    town_of: Callable, unit_of: Callable, framing: str
) -> None:
    async def scene() -> None:
        async with town_of(unit_of(1, framing=framing)) as town:
            link = town.link(framing=framing)
            relay = PROFILES["demo_terminal"].control("relay")
            done = await carry_out(link, 1, relay, "open", gate=allowed, timeout_s=PATIENCE_S)
            assert (done.state, done.shown, done.error) == (CommandState.CONFIRMED, "open", None)
            values = await town.values(link)
            assert (values["i_a"], values["p"]) == (0, 0)
            again = await carry_out(link, 1, relay, "open", gate=allowed, timeout_s=PATIENCE_S)
            assert again.state is CommandState.CONFIRMED
            assert again.sent_at is None
            assert town.simulator.counters.writes == 1
            await carry_out(link, 1, relay, "close", gate=allowed, timeout_s=PATIENCE_S)
            assert (await town.values(link))["i_a"] > 0

    asyncio.run(scene())


def test_a_forbidden_command_never_leaves(town_of: Callable) -> None:
    async def forbidden() -> None:
        raise Refused(why="never cut")

    async def scene() -> None:
        async with town_of() as town:
            relay = PROFILES["demo_terminal"].control("relay")
            done = await carry_out(town.link(), 1, relay, "open", gate=forbidden, timeout_s=1)
            assert (done.state, done.sent_at) == (CommandState.FAILED, None)
            assert isinstance(done.error, Refused)
            assert town.simulator.counters.writes == 0
            with pytest.raises(NoSuchCommand):
                await carry_out(town.link(), 1, relay, "explode", gate=allowed, timeout_s=1)

    asyncio.run(scene())


def test_a_refused_write_failed_and_one_nobody_saw_confirmed_is_unknown(
    town_of: Callable,
) -> None:
    async def scene() -> None:
        async with town_of() as town:
            link, relay = town.link(), PROFILES["demo_terminal"].control("relay")

            async def mute() -> None:
                await town.order("silence")

            lost = await carry_out(link, 1, relay, "open", gate=mute, timeout_s=SHORT_S)
            assert (lost.state, lost.sent_at is None) == (CommandState.UNKNOWN, False)
            await town.order("clear")
            with pytest.raises(ExceptionReply):
                await link.write(1, Write(6, 3, (1,)), timeout_s=PATIENCE_S)

    asyncio.run(scene())


def test_a_write_the_link_was_forbidden_to_send_failed_and_nothing_was_sent(
    town_of: Callable,
) -> None:
    async def scene() -> None:
        async with town_of() as town:
            forbidden: list[LeaseEnded] = []
            link = town.link(forbids=lambda: next(iter(forbidden), None))
            relay = PROFILES["demo_terminal"].control("relay")

            async def lease_ends() -> None:
                forbidden.append(LeaseEnded())

            done = await carry_out(link, 1, relay, "open", gate=lease_ends, timeout_s=PATIENCE_S)
            assert (done.state, done.error, done.sent_at) == (
                CommandState.FAILED, forbidden[0], None
            )  # fmt: skip

    asyncio.run(scene())


def test_a_clock_is_read_set_and_read_back(town_of: Callable) -> None:
    async def scene() -> None:
        async with town_of(clock_is_now=True) as town:
            link, profile = town.link(), PROFILES["demo_terminal"]
            await town.order("clock_drift", seconds=300)
            before = await read_clock(link, 1, profile, SHANGHAI, timeout_s=PATIENCE_S)
            assert before.drift_s == pytest.approx(300, abs=2)
            after = await set_clock(link, 1, profile, SHANGHAI, timeout_s=PATIENCE_S)
            assert after.drift_s == pytest.approx(0, abs=2)
            other = PROFILES["eastron_sdm630"]
            with pytest.raises(ClockNotSettable):
                await set_clock(link, 1, other, SHANGHAI, timeout_s=PATIENCE_S)

    asyncio.run(scene())


def test_metrics_sum_what_links_did_and_keep_what_gone_ones_did(
    town_of: Callable, unit_of: Callable
) -> None:
    async def scene() -> None:
        async with town_of(unit_of(1), unit_of(2)) as town:
            link = town.link()
            await link.read(1, BLOCK, timeout_s=PATIENCE_S)
            await town.order("silence", "M2")
            await exhaust(link, 2)
            links = [link]
            metrics = LinkMetrics(lambda: links)
            said = _said(metrics)
            assert said["gridhall_link_events_total", "requests"] == 1 + OPEN_AFTER
            assert said["gridhall_link_events_total", "timeouts"] == OPEN_AFTER
            assert said["gridhall_link_units", "open"] == 1
            assert said["gridhall_links_up", ""] == 1
            metrics.gone(link)
            links.clear()
            after = _said(metrics)
            assert after["gridhall_link_events_total", "requests"] == 1 + OPEN_AFTER
            assert after["gridhall_links", ""] == 0

    asyncio.run(scene())


def _said(metrics: LinkMetrics) -> dict[tuple[str, str], float]:
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for metric in metrics.collect()
        for sample in metric.samples
    }
