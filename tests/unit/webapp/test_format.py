"""How values look; the table of the design reference, and its edges."""

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

import webapp
from webapp import format as formats
from webapp.format import Translate, dur, num
from webapp.texts import Texts

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 6, 18, 11, 47, 32, tzinfo=UTC)  # 19:47:32 in the office
TEXTS = Texts.load(Path(webapp.__file__).parent / "translations")


def speaker(lang: str) -> Translate:
    def t(key: str, /, **facts: object) -> str:
        return TEXTS.t(lang, key, **facts)

    return t


def rendered(source: str, lang: str = "zh-CN", **values: object) -> str:
    env = Environment(autoescape=True)
    formats.register(env, language=lambda: lang, zone=SHANGHAI, now=lambda: NOW, t=speaker(lang))
    return env.from_string(source).render(**values)


@pytest.mark.parametrize(
    ("value", "decimals", "said"),
    [
        (48836, None, "48,836"),
        (Decimal("1186.4"), None, "1,186.4"),
        (-8.5, 1, "−8.5"),
        (0.05, 1, "0.1"),
        (-0.05, 1, "−0.1"),
        (-0.04, 1, "0.0"),
        (2.675, 2, "2.68"),
        (None, 1, "—"),
        (math.nan, 1, "—"),
        (math.inf, 1, "—"),
        (Decimal("NaN"), 1, "—"),
        (0, 0, "0"),
    ],
)
def test_numbers(value: formats.Number, decimals: int | None, said: str) -> None:
    assert num(value, decimals) == said


def test_a_trend_carries_its_sign() -> None:
    assert (num(3, sign=True), num(-3, sign=True), num(0, sign=True)) == ("+3", "−3", "0")


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9
    )
)
def test_what_is_written_reads_back_as_the_rounded_number(value: Decimal) -> None:
    read = Decimal(num(value, 2).replace(",", "").replace("−", "-"))
    assert abs(read - value) <= Decimal("0.005")


@pytest.mark.parametrize(
    ("filter_", "value", "said"),
    [
        ("pct(2)", 0.9872, "98.72%"),
        ("pct", Decimal("-0.085"), "−8.5%"),
        ("pct(sign=true)", 0.062, "+6.2%"),
        ("money", Decimal("88526.12"), "¥88,526.12"),
        ("money", Decimal("-265.58"), "−¥265.58"),
        ("money", Decimal("0.005"), "¥0.01"),
        ("kwh", 1_186_400, "1,186.4 kWh"),
        ("kwh", 9_999_940, "9,999.9 kWh"),
        ("kwh", 9_999_960, "10.0 MWh"),
        ("kwh(billing=true)", 12_345_678, "12,345.68 kWh"),
        ("kwh(unit=false)", 1000, "1.0"),
        ("kw", 348_000, "348.0 kW"),
        ("kw", 999_940, "999.9 kW"),
        ("power", 1_040_000, "1.04 MW"),
        ("kw", -26_000_000, "−26.0 MW"),
        ("kva", 630_000, "630 kVA"),
        ("kvar", 120_400, "120 kvar"),
        ("volt", 201.3, "201.3 V"),
        ("volt", 0, "0.0 V"),
        ("volt", 999.94, "999.9 V"),
        ("volt", 10_020, "10.02 kV"),
        ("volt(unit=false)", Decimal("235.4"), "235.4"),
        ("amp", 4.713, "4.71 A"),
        ("amp", 9.994, "9.99 A"),
        ("amp", 9.996, "10.0 A"),
        ("amp", 41.26, "41.3 A"),
        ("hz", 50.02, "50.02 Hz"),
        ("pf", 0.905, "0.91"),
        ("phone", "13000000421", "130 0000 0421"),
        ("phone", "+86 130-0000-0421", "130 0000 0421"),
        ("phone", "057180000000", "0571 8000 0000"),
        ("phone", "01080000000", "010 8000 0000"),
        ("phone", "95598", "95598"),
        ("mask_phone", "13000000421", "130 **** 0421"),
        ("mask_phone", "95598", "****"),
        ("mask_name", "林小满", "林*满"),
        ("mask_name", "孙暑", "孙*"),
        ("mask_name", "欧阳小满", "欧**满"),
        ("mask_name", "Lin Xiaoman", "L***"),
        ("account_no", "9900041207", "9900 0412 07"),
        ("id_card", "11010119900101002x", "110*** **** **** 002X"),
        ("id_card", "12345", "**** 45"),
        ("timer", 167, "02:47"),
        ("timer", timedelta(hours=1, minutes=2, seconds=47), "1:02:47"),
    ],
)
def test_each_kind_of_value(filter_: str, value: object, said: str) -> None:
    assert rendered(f"{{{{ v|{filter_} }}}}", v=value) == said


FILTERS = (
    *("pct", "money", "kwh", "kw", "kva", "kvar", "volt", "amp", "hz", "pf", "num", "timer"),
    *("phone", "mask_phone", "mask_name", "account_no", "id_card"),
    *("dt", "time_of_day", "date", "long_date", "ago", "dur"),
)


@pytest.mark.parametrize("filter_", FILTERS)
def test_what_is_missing_is_a_dash_never_zero(filter_: str) -> None:
    assert rendered(f"{{{{ v|{filter_} }}}}", v=None) == "—"


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (45, "45 秒", "45 s"),
        (60, "1 分钟", "1 min"),
        (26 * 60 + 59, "26 分钟", "26 min"),
        (3720, "1 小时 02 分", "1 h 02 min"),
        (2 * 86400 + 4 * 3600 + 12 * 60, "2 日 04:12", "2 d 04:12"),
        (-720, "−12 分钟", "−12 min"),
    ],
)
def test_lengths_of_time(seconds: int, zh: str, en: str) -> None:
    assert (dur(seconds, speaker("zh-CN")), dur(seconds, speaker("en"))) == (zh, en)


def test_a_short_length_may_keep_its_seconds() -> None:
    assert dur(72, speaker("zh-CN"), seconds=True) == "1 分 12 秒"


@pytest.mark.parametrize(
    ("form", "at", "zh", "en"),
    [
        ("full", NOW, "2026-06-18 19:47", "2026-06-18 19:47"),
        ("seconds", NOW, "2026-06-18 19:47:32", "2026-06-18 19:47:32"),
        ("short", NOW, "19:47", "19:47"),
        ("short", datetime(2026, 6, 16, 6, 5, tzinfo=UTC), "06-16 14:05", "16 Jun 14:05"),
        ("short", datetime(2025, 6, 16, 6, 5, tzinfo=UTC), "2025-06-16 14:05", "2025-06-16 14:05"),
        # midnight of the office, not of Greenwich, parts the days
        ("short", datetime(2026, 6, 17, 15, 59, tzinfo=UTC), "06-17 23:59", "17 Jun 23:59"),
        ("short", datetime(2026, 6, 17, 16, 0, tzinfo=UTC), "00:00", "00:00"),
    ],
)
def test_instants_in_the_clock_of_the_office(form: str, at: datetime, zh: str, en: str) -> None:
    assert f">{zh}</time>" in rendered("{{ v|dt(form) }}", v=at, form=form)
    assert f">{en}</time>" in rendered("{{ v|dt(form) }}", "en", v=at, form=form)


def test_a_written_time_carries_the_exact_one() -> None:
    said = rendered("{{ v|dt }}", v=NOW)
    assert said == '<time datetime="2026-06-18T19:47:32+08:00">2026-06-18 19:47</time>'


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="2026"):
        rendered("{{ v|dt }}", v=datetime(2026, 6, 18, 19, 47))  # noqa: DTZ001 - the point


def test_time_of_day_and_dates() -> None:
    assert ">19:47</time>" in rendered("{{ v|time_of_day }}", v=NOW)
    assert ">19:47:32</time>" in rendered("{{ v|time_of_day(seconds=true) }}", v=NOW)
    assert rendered("{{ v|date }}", v=NOW) == '<time datetime="2026-06-18">2026-06-18</time>'
    assert rendered("{{ v|long_date }}", v=NOW) == "2026 年 6 月 18 日 星期四"
    assert rendered("{{ v|long_date }}", "en", v=date(2026, 6, 18)) == "Thursday, 18 June 2026"


@pytest.mark.parametrize(
    ("passed", "zh", "en"),
    [
        (timedelta(seconds=3), "刚刚", "just now"),
        (timedelta(minutes=3), "3 分钟前", "3 min ago"),
        (timedelta(minutes=59, seconds=59), "59 分钟前", "59 min ago"),
        (timedelta(hours=1), "18:47", "18:47"),
        (timedelta(seconds=-60), "19:48", "19:48"),
    ],
)
def test_relative_times_only_within_the_hour(passed: timedelta, zh: str, en: str) -> None:
    assert f">{zh}</time>" in rendered("{{ v|ago }}", v=NOW - passed)
    assert f">{en}</time>" in rendered("{{ v|ago }}", "en", v=NOW - passed)


def test_text_over_several_lines_keeps_them_and_is_escaped() -> None:
    assert rendered("{{ v|nl2br }}", v="a <b>\nc") == "a &lt;b&gt;<br>c"


def test_the_page_knows_the_time_of_the_server() -> None:
    assert rendered("{{ server_now() }}") == "2026-06-18T19:47:32+08:00"
    assert rendered("{{ v|iso }}", v=None) == ""
