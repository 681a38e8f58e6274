"""A batch judged at once says what the scalar rules say, meter by meter."""

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loadmgmt.alerts.rules.current import lost_phases
from loadmgmt.alerts.rules.judging import judge
from loadmgmt.alerts.rules.voltage import phase_alert
from loadmgmt.alerts.thresholds import load_thresholds
from loadmgmt.alerts.types import AlertKind
from metering.api.types import UNKNOWN, BatchArrays, Quality, Supply

T = load_thresholds()
SLOT = datetime(2026, 6, 18, 11, 0, tzinfo=UTC)
SUPPLIES = list(Supply)

# edges of every rule, and one step beside them, in tenths of a volt and milliamperes
EDGES_220 = [0, 1, 1319, 1320, 1539, 1540, 1541, 1715, 1716, 1979, 1980, 2045, 2046, 2354, 2355]
EDGES_10K = [53693, 53694, 61776, 61777, 34640, 34641, 45033, 45034]
volts = st.one_of(st.sampled_from([*EDGES_220, *EDGES_10K, UNKNOWN]), st.integers(0, 70_000))
amps = st.one_of(st.sampled_from([0, 24, 25, 26, 249, 250, 251, UNKNOWN]), st.integers(-9000, 9000))
meter = st.tuples(
    st.integers(0, 2),
    st.sampled_from([Quality.GOOD, Quality.LATE, Quality.OUT_OF_RANGE, Quality.PARTIAL]),
    st.tuples(volts, volts, volts),
    st.tuples(amps, amps, amps),
    st.sampled_from([5, 1000]),
    st.sampled_from([-1, 0, 1]),
)


def _batch(meters: list[tuple[object, ...]]) -> BatchArrays:
    table = list(zip(*meters, strict=True))
    n = len(meters)
    return BatchArrays(
        batch_id=1,
        slot=SLOT,
        meter_id=np.arange(n),
        point_id=np.arange(n) + 100,
        area_id=np.ones(n, dtype=np.int64),
        supply=np.array(table[0], dtype=np.int8),
        quality=np.array([int(q) for q in table[1]], dtype=np.int16),  # type: ignore[call-overload]
        rated_ma=np.array(table[4], dtype=np.int64) * 1000,
        volts=np.array(table[2], dtype=np.int32).reshape(n, 3),
        amps=np.array(table[3], dtype=np.int32).reshape(n, 3),
        watts=np.zeros((n, 3), dtype=np.int64),
        inputs=np.array(table[5], dtype=np.int16),
    )


def _decimal(value: int, step: str) -> Decimal | None:
    return None if value == UNKNOWN else value * Decimal(step)


def _existing(supply: Supply, values: object, step: str) -> list[Decimal | None]:
    raw = zip("abc", values, strict=True)  # type: ignore[call-overload]
    return [_decimal(value, step) if name in supply.phases else None for name, value in raw]


def _expected(one: tuple[object, ...]) -> set[tuple[AlertKind, str]]:
    place, quality, v, i, rated, inputs = one
    if quality is Quality.OUT_OF_RANGE:
        return set()
    supply = SUPPLIES[place]  # type: ignore[call-overload]
    found: dict[AlertKind, str] = {}
    known = ""
    for index, name in enumerate(supply.phases):
        u = _decimal(v[index], "0.1")  # type: ignore[index]
        if u is None:
            continue
        known += name
        kind = phase_alert(
            u,
            _decimal(i[index], "0.001"),  # type: ignore[index]
            nominal_volts=supply.nominal_volts,
            rated_amps=Decimal(str(rated)),
            band=T.band[supply.value],
            loss=T.loss,
        )
        if kind is not None:
            found[kind] = found.get(kind, "") + name
    if known and found.get(AlertKind.PHASE_BREAK) == known:
        found[AlertKind.POWER_LOSS] = found.pop(AlertKind.PHASE_BREAK)
    lost = lost_phases(
        _existing(supply, v, "0.1"),
        _existing(supply, i, "0.001"),
        nominal_volts=supply.nominal_volts,
        rated_amps=Decimal(str(rated)),
        loss=T.loss,
    )
    if lost:
        found[AlertKind.CURRENT_LOSS] = lost
    if inputs == 1:
        found[AlertKind.COVER_OPEN] = ""
    return set(found.items())


NEIGHBOUR_WITHOUT_VOLTS = (1, Quality.GOOD, (1541, UNKNOWN, 0), (0, 251, 0), 5, -1)


@example([NEIGHBOUR_WITHOUT_VOLTS])
@settings(max_examples=300, deadline=None)
@given(st.lists(meter, min_size=1, max_size=12))
def test_a_batch_says_what_the_scalar_rules_say(meters: list[tuple[object, ...]]) -> None:
    judged = judge(_batch(meters), T)
    for row, one in enumerate(meters):
        mine = {(f.kind, f.phases) for f in judged.findings if f.point_id == row + 100}
        assert mine == _expected(one)


def test_a_neighbour_s_load_proves_a_lost_current_although_its_voltage_is_unknown() -> None:
    meter_ = (1, Quality.GOOD, (UNKNOWN, 2200, 2200), (251, 100, 0), 5, -1)
    (finding,) = judge(_batch([meter_]), T).findings
    assert (finding.kind, finding.phases) == (AlertKind.CURRENT_LOSS, "c")


def test_an_unknown_value_neither_raises_nor_ends_an_alert() -> None:
    unknown = (0, Quality.GOOD, (UNKNOWN,) * 3, (UNKNOWN,) * 3, 5, -1)
    judged = judge(_batch([unknown]), T)
    assert judged.findings == ()
    assert all(not points for points in judged.seen.values())


def test_the_worst_phase_is_measured_against_its_limit() -> None:
    low = (1, Quality.GOOD, (2013, 2030, 2200), (1000, 1000, 1000), 5, -1)
    (finding,) = judge(_batch([low]), T).findings
    assert (finding.kind, finding.phases) == (AlertKind.UNDER_VOLTAGE, "ab")
    assert finding.measured == Decimal("201.3")
    assert finding.limit == Decimal("204.600")
