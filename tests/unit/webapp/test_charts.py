"""Charts: gaps stay gaps, no voltage is a zone, the table says what the picture says."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import webapp
from webapp.charts import Band, Chart, Line, Point, line_chart, voltage_chart
from webapp.texts import Texts

SHANGHAI = ZoneInfo("Asia/Shanghai")
MIDNIGHT = datetime(2026, 6, 17, 16, tzinfo=UTC)  # of the office
DAY = (MIDNIGHT, MIDNIGHT + timedelta(days=1))
QUARTER = timedelta(minutes=15)
TEXTS = Texts.load(Path(webapp.__file__).parent / "translations")
BAND = Band(204.6, 235.4, "−7%", "+7%")


def t(key: str, /, **facts: object) -> str:
    return TEXTS.t("zh-CN", key, **facts)


def quarters(*values: float | None) -> list[Point]:
    return [(MIDNIGHT + QUARTER * (place + 1), value) for place, value in enumerate(values)]


def voltage(phases: dict[str, list[Point]], **more: Any) -> Chart:
    return voltage_chart(phases, band=BAND, nominal=220, span=DAY, zone=SHANGHAI, t=t, **more)


def spec(chart: Chart) -> Any:
    return json.loads(json.dumps(chart.spec))


def wall(clock: str) -> int:
    hours, minutes = clock.split(":")
    start = datetime(2026, 6, 18, tzinfo=UTC)
    return int((start + timedelta(hours=int(hours), minutes=int(minutes))).timestamp() * 1000)


def test_the_axis_is_the_day_of_the_office() -> None:
    x = spec(voltage({"a": quarters(220.0)}))["x"]
    assert (x["min"], x["max"]) == (wall("00:00"), wall("24:00"))
    assert (x["step"], x["label"]) == (3 * 3_600_000, "time")


def test_a_week_is_labelled_by_days() -> None:
    chart = line_chart(
        [Line("A", quarters(1.0))], unit="kW", span=(MIDNIGHT, MIDNIGHT + timedelta(days=7)),
        zone=SHANGHAI, t=t,
    )  # fmt: skip
    assert spec(chart)["x"]["label"] == "day"
    assert chart.rows[0][0] == "06-18 00:15"


def test_the_voltage_axis_reaches_ten_volts_beyond_the_limits() -> None:
    y = spec(voltage({"a": quarters(220.0)}))["y"]
    assert y["min"] <= 204.6 - 10
    assert y["max"] >= 235.4 + 10


def test_missing_readings_stay_missing() -> None:
    points = quarters(220.0, 221.0, None, 222.0)
    del points[1]
    drawn = spec(voltage({"a": points}, step=QUARTER))["series"][0]["points"]
    assert [value for _, value in drawn] == [220.0, None, None, 222.0]


def test_a_gap_in_time_breaks_the_line() -> None:
    points = [*quarters(220.0, 221.0), (MIDNIGHT + QUARTER * 8, 222.0)]
    drawn = spec(voltage({"a": points}))["series"][0]["points"]
    assert [value for _, value in drawn] == [220.0, 221.0, None, 222.0]


def test_no_voltage_is_a_zone_and_not_a_falling_line() -> None:
    made = spec(voltage({"a": quarters(220.0, 0.0, 1.2, 221.0)}))
    assert [value for _, value in made["series"][0]["points"]] == [220.0, None, None, 221.0]
    assert made["zones"] == [
        {"tone": "outage", "from": wall("00:15"), "to": wall("00:45"), "text": "停电"}
    ]


def test_one_dead_phase_is_named_and_is_no_outage() -> None:
    phases = {"a": quarters(220.0, 221.0), "b": quarters(220.0, 0.0), "c": quarters(219.0, 220.0)}
    zones = spec(voltage(phases))["zones"]
    assert [(zone["tone"], zone["text"]) for zone in zones] == [("outage", "B 相失电")]


def test_all_phases_dead_is_one_outage() -> None:
    phases = {phase: quarters(220.0, 0.0, 220.0) for phase in "abc"}
    zones = spec(voltage(phases))["zones"]
    assert [(zone["tone"], zone["text"]) for zone in zones] == [("outage", "停电")]


def test_known_outages_join_what_the_readings_say() -> None:
    known = [(MIDNIGHT + QUARTER * 2, MIDNIGHT + QUARTER * 4)]
    zones = spec(voltage({"a": quarters(220.0, 0.0, None, None, 220.0)}, outages=known))["zones"]
    assert [(zone["from"], zone["to"]) for zone in zones] == [(wall("00:15"), wall("01:00"))]


def test_time_out_of_band_is_shaded_with_the_limit_itself_inside() -> None:
    zones = spec(voltage({"a": quarters(204.6, 204.5, 204.5, 235.4, 235.5)}))["zones"]
    assert [(zone["tone"], zone["from"], zone["to"]) for zone in zones] == [
        ("major", wall("00:15"), wall("00:45")),
        ("major", wall("01:00"), wall("01:15")),
    ]


def test_a_limit_reckoned_in_floats_still_has_its_edge() -> None:
    band = Band(220 * (1 - 0.07), 220 * (1 + 0.07), "−7%", "+7%")  # 204.60000000000002
    points = quarters(204.6, 235.4)
    chart = voltage_chart({"a": points}, band=band, nominal=220, span=DAY, zone=SHANGHAI, t=t)
    assert spec(chart)["zones"] == []


def test_limits_are_written_with_percent_and_volts() -> None:
    band = spec(voltage({"a": quarters(220.0)}))["band"]
    assert (band["lowText"], band["highText"]) == ("−7%  204.6", "+7%  235.4")


def test_phases_wear_the_colours_of_the_trade_and_a_single_phase_is_just_voltage() -> None:
    three = spec(voltage({phase: quarters(220.0) for phase in "abc"}))["series"]
    assert [series["color"] for series in three] == ["pha", "phb", "phc"]
    one = spec(voltage({"a": quarters(220.0)}))["series"]
    assert [(series["name"], series["color"]) for series in one] == [("电压", "c1")]


def test_high_voltage_is_told_in_kilovolts() -> None:
    chart = voltage_chart(
        {"a": quarters(5774.0)}, band=Band(5370.0, 6178.0, "−7%", "+7%"), nominal=5774,
        span=DAY, zone=SHANGHAI, t=t,
    )  # fmt: skip
    assert spec(chart)["unit"] == "kV"
    assert chart.rows == (("00:15", "5.77"),)


def test_the_table_has_every_reading_and_tells_missing_from_zero() -> None:
    chart = voltage({"a": quarters(220.04, 0.0), "b": quarters(219.0, None)})
    assert chart.head == ("时间", "A 相（V）", "B 相（V）")
    assert chart.rows == (("00:15", "220.0", "219.0"), ("00:30", "0.0", "—"))


def test_one_sentence_says_what_the_voltage_did() -> None:
    said = voltage({"a": quarters(220.0, 201.3, 0.0), "b": quarters(219.0, 236.0, 0.0)}).summary
    for part in ("00:15 至 00:45", "201.3 V（A 相 00:30）", "236.0 V（B 相 00:30）",
                 "越限 15 分钟", "停电 15 分钟"):  # fmt: skip
        assert part in said


def test_no_readings_is_said_too() -> None:
    chart = voltage({"a": []})
    assert chart.rows == ()
    assert chart.summary == "电压曲线，此时段没有读数。"


def test_now_is_drawn_only_within_the_axis() -> None:
    now = MIDNIGHT + timedelta(hours=19, minutes=45)
    assert spec(voltage({"a": []}, now=now))["now"] == {"at": wall("19:45"), "text": "19:45"}
    assert spec(voltage({"a": []}, now=now + timedelta(days=2)))["now"] is None


def test_times_may_come_as_text() -> None:
    chart = voltage({"a": [("2026-06-18T00:15:00+08:00", 220.0)]})
    assert chart.rows == (("00:15", "220.0"),)


def load(**more: Any) -> Chart:
    today = quarters(118.0, 120.5, 119.0)
    lines = [Line("今日", today), Line("昨日", quarters(110.0), role="previous")]
    return line_chart(lines, unit="kW", span=DAY, zone=SHANGHAI, t=t, **more)


def test_a_line_chart_keeps_roles_limits_and_zero() -> None:
    made = spec(load(limits=[(400.0, "合同容量 400")]))
    assert [series["role"] for series in made["series"]] == ["main", "previous"]
    assert [series["color"] for series in made["series"]] == ["c1", "c2"]
    assert made["lines"] == [{"at": 400.0, "text": "合同容量 400"}]
    assert made["y"] == {"zero": True}


def test_gaps_of_the_main_line_can_stand_out() -> None:
    points = [*quarters(1.0, 2.0), (MIDNIGHT + QUARTER * 6, 3.0)]
    chart = line_chart(
        [Line("今日", points)], unit="kW", span=DAY, zone=SHANGHAI, t=t, show_missing=True
    )
    assert spec(chart)["zones"] == [
        {"tone": "missing", "from": wall("00:30"), "to": wall("01:30"), "text": "缺测"}
    ]


def test_one_sentence_says_what_the_line_did() -> None:
    assert load().summary == (
        "今日，00:15 至 00:45：最低 118.0 kW（00:15），最高 120.5 kW（00:30），"
        "最新 119.0 kW（00:45）。"
    )
    empty = line_chart([Line("今日", [])], unit="kW", span=DAY, zone=SHANGHAI, t=t)
    assert empty.summary == "此时段没有数据。"
