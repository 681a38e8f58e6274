"""One house, one box, or a whole area: both sides of every limit."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from loadmgmt.outages.books import outage_rules
from loadmgmt.outages.rules.grouping import area_is_out, box_is_out, verdict_at
from loadmgmt.outages.rules.power import power_of, tally
from loadmgmt.outages.types import MeterPower, Power, Tally, Verdict

RULE = outage_rules().suspect
NOW = datetime(2026, 6, 18, 11, 20, tzinfo=UTC)
NOTHING = Tally()


def verdict(
    own: Power,
    *,
    wrong: bool = False,
    box: Tally = NOTHING,
    area: Tally = NOTHING,
    in_box: int = 1,
    in_area: int = 1,
) -> Verdict:
    return verdict_at(
        own,
        is_voltage_wrong=wrong,
        box=box,
        area=area,
        box_accounts=in_box,
        area_accounts=in_area,
        rule=RULE,
    )


def test_a_meter_with_voltage_speaks_for_a_fault_inside_whatever_others_say() -> None:
    everywhere = Tally(dark=9)
    assert verdict(Power.ON, box=everywhere, area=everywhere, in_area=20) is Verdict.INSIDE


def test_a_voltage_out_of_its_band_is_no_fault_inside() -> None:
    assert verdict(Power.ON, wrong=True) is Verdict.VOLTAGE
    assert verdict(Power.DARK, wrong=True) is Verdict.POINT


@pytest.mark.parametrize(
    ("accounts", "expected"), [(2, Verdict.UNKNOWN), (3, Verdict.AREA), (40, Verdict.AREA)]
)
def test_three_accounts_of_one_area_are_an_area(accounts: int, expected: Verdict) -> None:
    assert verdict(Power.UNREAD, in_area=accounts) is expected


@pytest.mark.parametrize(
    ("dark", "read", "out"), [(2, 6, False), (3, 11, False), (3, 10, True), (3, 9, True)]
)
def test_thirty_percent_of_the_meters_and_at_least_three_are_an_area(
    dark: int, read: int, *, out: bool
) -> None:
    assert area_is_out(Tally(on=read - dark, dark=dark), accounts=0, rule=RULE) is out


def test_two_calls_are_enough_where_the_terminals_fell_silent_too() -> None:
    silent = Tally(on=4, silent=4, dark=1)
    assert area_is_out(silent, accounts=2, rule=RULE)
    assert not area_is_out(silent, accounts=1, rule=RULE)
    assert not area_is_out(Tally(on=6, silent=2), accounts=2, rule=RULE)
    assert not area_is_out(NOTHING, accounts=2, rule=RULE)


def test_a_box_is_out_when_nothing_in_it_is_alive() -> None:
    assert box_is_out(Tally(dark=2, unread=10), accounts=0, rule=RULE)
    assert not box_is_out(Tally(dark=1), accounts=1, rule=RULE)
    assert not box_is_out(Tally(dark=5, on=1), accounts=5, rule=RULE)
    assert box_is_out(Tally(unread=12), accounts=2, rule=RULE)


def test_a_meter_that_is_dark_alone_is_its_own_fault_and_a_silent_one_says_nothing() -> None:
    alive = Tally(on=8, dark=1)
    assert verdict(Power.DARK, box=alive, area=alive) is Verdict.POINT
    assert verdict(Power.SILENT, box=alive, area=alive) is Verdict.UNKNOWN
    assert verdict(Power.DARK, box=Tally(dark=3), area=Tally(on=8, dark=3)) is Verdict.BOX


@pytest.mark.parametrize(
    ("volts", "expected"),
    [
        ((132.0,), Power.ON),
        ((131.9,), Power.DARK),
        ((0.0, 0.0, 221.0), Power.ON),
        ((0.0, None, 1.0), Power.DARK),
        ((None,), Power.SILENT),
        ((), Power.SILENT),
    ],
)
def test_one_phase_with_voltage_is_voltage(
    volts: tuple[float | None, ...], expected: Power
) -> None:
    assert power(volts) is expected


def power(
    volts: tuple[float | None, ...], *, age_min: float = 1, has_terminal: bool = True
) -> Power:
    return power_of(
        volts,
        nominal_volts=Decimal(220),
        dark_below=Decimal("0.60"),
        read_at=NOW - timedelta(minutes=age_min),
        now=NOW,
        fresh=timedelta(minutes=15),
        has_terminal=has_terminal,
    )


def test_an_old_reading_says_nothing_about_now() -> None:
    assert power((220.0,), age_min=15) is Power.ON
    assert power((220.0,), age_min=15.1) is Power.SILENT


def test_a_meter_without_terminal_is_unread_not_silent() -> None:
    assert power((), has_terminal=False) is Power.UNREAD


def test_a_tally_counts_each_meter_once_and_unread_ones_apart() -> None:
    meters = [MeterPower(i, i, f"M-{i}", "B-1", power) for i, power in enumerate(Power)]
    counted = tally(meters)
    assert (counted.on, counted.dark, counted.silent, counted.unread) == (1, 1, 1, 1)
    assert (counted.read, counted.all) == (3, 4)


def test_a_terminal_that_fell_silent_with_the_outage_lost_power_an_old_silence_did_not() -> None:
    fell = MeterPower(1, 1, "M", "B", Power.SILENT, silent_since=NOW)
    long_gone = MeterPower(1, 1, "M", "B", Power.SILENT, silent_since=NOW - timedelta(days=9))
    dark, alive = (MeterPower(1, 1, "M", "B", one) for one in (Power.DARK, Power.ON))
    since = NOW - timedelta(minutes=15)
    assert fell.lost_power(since)
    assert dark.lost_power(since)
    assert not long_gone.lost_power(since)
    assert not alive.lost_power(since)
