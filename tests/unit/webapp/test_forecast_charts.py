"""Charts of forecasts: the interval is its own band, errors are bars, the table has it all."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import webapp
from loadmgmt.api.types import DayError, Errors, PlanAndActual, Vintage
from metering.api.types import SYSTEM
from webapp.charts import Chart
from webapp.pages.loadmgmt.forecast_charts import (
    clock_of,
    error_chart,
    load_chart,
    peak_of,
    reach_of,
    trend_chart,
)
from webapp.texts import Texts

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 6, 18)
MIDNIGHT = datetime(2026, 6, 17, 16, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
TEXTS = Texts.load(Path(webapp.__file__).parent / "translations")


def t(key: str, /, **facts: object) -> str:
    return TEXTS.t("zh-CN", key, **facts)


def vintage(model: str, *, kw: float = 100.0, step: float = 1.0) -> Vintage:
    values = tuple(kw + step * n for n in range(96))
    return Vintage(
        1, "system", DAY, model, "1", MIDNIGHT, MIDNIGHT, MIDNIGHT, 1.0, 0.05, False, 0.8,
        values, tuple(v - 10 for v in values), tuple(v + 20 for v in values),
    )  # fmt: skip


def plan(*vintages: Vintage, measured: int = 8, scale: float = 1.0) -> PlanAndActual:
    actual = tuple(105.0 * scale if n < measured else None for n in range(96))
    return PlanAndActual(
        SYSTEM, DAY, tuple(MIDNIGHT + QUARTER * n for n in range(96)), actual, (None,) * 96,
        {one.model: one for one in vintages}, tuple(vintages), {}, None,
    )  # fmt: skip


def drawn(one: PlanAndActual, model: str = "prophet") -> Chart:
    return load_chart(one, model, zone=SHANGHAI, t=t, now=None)


def spec(chart: Chart | None) -> Any:
    assert chart is not None
    return json.loads(json.dumps(chart.spec))


def test_the_interval_is_a_band_with_its_level_and_no_line() -> None:
    made = spec(drawn(plan(vintage("prophet"), vintage("seasonal_naive"))))
    assert [one["name"] for one in made["series"]] == ["实际", "预测", "上周同日", "前一日"]
    assert made["interval"]["name"] == "80% 区间"
    assert [value for _, value in made["interval"]["low"]][:2] == [90.0, 91.0]
    assert [value for _, value in made["interval"]["high"]][:2] == [120.0, 121.0]
    assert made["interval"]["low"][0][0] == made["series"][1]["points"][0][0]


def test_the_highest_point_of_the_forecast_is_named() -> None:
    made = spec(drawn(plan(vintage("prophet"))))
    assert made["peak"]["value"] == 195
    assert made["peak"]["text"] == "最高 195.0 kW"
    assert made["peak"]["left"]  # at the end of the day there is no room on the right


def test_a_large_load_is_drawn_in_megawatts() -> None:
    chart = drawn(plan(vintage("prophet", kw=5000), scale=40))
    made = spec(chart)
    assert made["unit"] == "MW"
    assert made["series"][1]["points"][0][1] == 5.0
    assert chart.head[1] == "实际（MW）"


def test_the_table_has_the_edges_of_the_interval_and_the_error() -> None:
    chart = drawn(plan(vintage("prophet")))
    assert chart.head == (
        "时间", "实际（kW）", "预测（kW）", "80% 区间下限（kW）", "80% 区间上限（kW）",
        "前一日（kW）", "偏差（%）",
    )  # fmt: skip
    assert chart.rows[0] == ("00:15", "105.0", "100.0", "90.0", "120.0", "—", "+5.0")
    assert chart.rows[8] == ("02:15", "—", "108.0", "98.0", "128.0", "—", "—")
    assert len(chart.rows) == 96


def test_one_sentence_says_forecast_interval_and_actual() -> None:
    said = drawn(plan(vintage("prophet"))).summary
    assert said == (
        "Prophet 预测最高 195.0 kW（24:00），80% 区间 185.0 kW 至 215.0 kW。"
        "已有 8 点实测，最高 105.0 kW。"
    )


def test_without_a_forecast_what_was_measured_stands_alone() -> None:
    chart = drawn(plan())
    assert "interval" not in spec(chart)
    assert "peak" not in spec(chart)
    assert [one["name"] for one in spec(chart)["series"]] == ["实际", "前一日"]
    assert drawn(plan(measured=0)).summary == "此时段没有数据。"


def test_errors_are_bars_in_percent_with_the_target_on_both_sides() -> None:
    chart = error_chart(plan(vintage("prophet")), "prophet", target=0.03, zone=SHANGHAI, t=t)
    made = spec(chart)
    assert made["bars"] == {"limit": 3.0}
    values = [value for _, value in made["series"][0]["points"]]
    assert values[0] == 5.0
    assert values[5] == 0.0
    assert values[8:] == [None] * 88
    assert made["y"]["max"] == -made["y"]["min"] == 5


def test_there_are_no_errors_without_a_forecast_or_a_measurement() -> None:
    for one in (plan(), plan(vintage("prophet"), measured=0)):
        assert error_chart(one, "prophet", target=0.03, zone=SHANGHAI, t=t) is None


def test_a_day_that_could_not_be_judged_is_a_gap_in_the_trend() -> None:
    errors = [
        DayError(DAY - timedelta(days=2), "prophet", Errors(wape=0.04, share=1), made_late=False),
        DayError(DAY - timedelta(days=1), "prophet", Errors(share=0.4), made_late=False),
        DayError(DAY, "prophet", Errors(wape=0.02, share=1), made_late=False),
    ]
    span = (MIDNIGHT - timedelta(days=30), MIDNIGHT + timedelta(days=1))
    chart = trend_chart(
        errors, ["prophet", "seasonal_naive"], days=span, target=0.03, zone=SHANGHAI, t=t
    )
    made = spec(chart)
    assert [value for _, value in made["series"][0]["points"]] == [4.0, None, 2.0]
    assert made["lines"] == [{"at": 3.0, "text": "目标 3%"}]
    assert chart.rows[1] == ("06-17 12:00", "—", "—")


def test_small_words() -> None:
    assert peak_of([None, 3.0, 3.0, 1.0]) == 1
    assert peak_of([None]) == 0
    assert reach_of(-5.0, 300.0) == "0.0–300.0 kW"
    assert reach_of(4790.0, 5810.0) == "4.79–5.81 MW"
    assert clock_of(MIDNIGHT + timedelta(hours=24), SHANGHAI, DAY) == "24:00"
    assert clock_of(MIDNIGHT + timedelta(hours=19, minutes=45), SHANGHAI, DAY) == "19:45"
