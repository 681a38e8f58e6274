"""How numbers, units, times and identifiers look on a page; pure functions and their filters.

Values arrive in base units (V, A, W, Wh, Hz, yuan as Decimal, fractions of one, aware UTC
datetimes). What is missing is "—", never 0; minus is U+2212; halves round away from zero.
"""

import math
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from jinja2 import Environment
from markupsafe import Markup, escape

MISSING = "—"
MINUS = "\N{MINUS SIGN}"
KILO = 1000
MWH_FROM_KWH = 10_000
MOBILE_DIGITS, ACCOUNT_DIGITS, ID_CARD_CHARACTERS = 11, 10, 18
WEEKDAYS = {
    "zh-CN": ("一", "二", "三", "四", "五", "六", "日"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)

Plain = Decimal | float | int
Number = Plain | None
DateForm = Literal["full", "short", "seconds"]


class Translate(Protocol):
    """Gives a text by key, in the reader's language."""

    def __call__(self, key: str, /, **facts: object) -> str:
        """Fill the facts into the text of the key."""


def exact(value: Number) -> Decimal | None:
    """Give a number as people read it, or None where there is none (NaN, infinity)."""
    if value is None:
        return None
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, int):
        return Decimal(value)
    return Decimal(str(float(value))) if math.isfinite(value) else None


def num(value: Number, decimals: int | None = None, *, sign: bool = False) -> str:
    """Write a number with thousands separators.

    Args:
        value: the number [1].
        decimals: digits after the point; None keeps those it has.
        sign: whether a plus stands before a positive number (differences, trends).
    """
    number = exact(value)
    if number is None:
        return MISSING
    if decimals is not None:
        number = number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    text = f"{abs(number):,f}"
    if number < 0:
        return MINUS + text
    return f"+{text}" if sign and number > 0 else text


def _with_unit(value: Number, decimals: int, unit: str, *, show: bool = True) -> str:
    text = num(value, decimals)
    return text if text == MISSING or not show else f"{text} {unit}"


def pct(fraction: Number, decimals: int = 1, *, sign: bool = False) -> str:
    """Write a fraction as percent: 0.9872 with two decimals is 98.72%."""
    number = exact(fraction)
    return MISSING if number is None else f"{num(number * 100, decimals, sign=sign)}%"


def kwh(watt_hours: Number, *, billing: bool = False, unit: bool = True) -> str:
    """Write energy [Wh]: kWh, from 10,000 kWh on MWh; billing is always kWh, two decimals."""
    number = exact(watt_hours)
    if number is None:
        return MISSING
    kilo = number / KILO
    if billing:
        return _with_unit(kilo, 2, "kWh", show=unit)
    if abs(_rounded(kilo, 1)) >= MWH_FROM_KWH:
        return _with_unit(kilo / KILO, 1, "MWh")
    return _with_unit(kilo, 1, "kWh", show=unit)


def kw(watts: Number, *, unit: bool = True) -> str:
    """Write active power [W]: kW with one decimal, from 1,000 kW on MW."""
    number = exact(watts)
    if number is None:
        return MISSING
    kilo = number / KILO
    if abs(_rounded(kilo, 1)) < KILO:
        return _with_unit(kilo, 1, "kW", show=unit)
    mega = kilo / KILO
    return _with_unit(mega, 2 if abs(mega) < 10 else 1, "MW")  # noqa: PLR2004 - 1.04, 12.3


def kva(volt_amperes: Number) -> str:
    """Write apparent power [VA]."""
    number = exact(volt_amperes)
    return MISSING if number is None else _with_unit(number / KILO, 0, "kVA")


def kvar(vars_: Number) -> str:
    """Write reactive power [var]."""
    number = exact(vars_)
    return MISSING if number is None else _with_unit(number / KILO, 0, "kvar")


def volt(volts: Number, *, unit: bool = True) -> str:
    """Write voltage [V]: one decimal, from 1,000 V on kV with two."""
    number = exact(volts)
    if number is None:
        return MISSING
    if abs(_rounded(number, 1)) >= KILO:
        return _with_unit(number / KILO, 2, "kV")
    return _with_unit(number, 1, "V", show=unit)


def amp(amperes: Number, *, unit: bool = True) -> str:
    """Write current [A]: two decimals under 10 A, else one."""
    number = exact(amperes)
    if number is None:
        return MISSING
    small = abs(_rounded(number, 2)) < 10  # noqa: PLR2004 - the rule itself
    return _with_unit(number, 2 if small else 1, "A", show=unit)


def hz(hertz: Number, *, unit: bool = True) -> str:
    """Write frequency [Hz]."""
    return _with_unit(hertz, 2, "Hz", show=unit)


def pf(power_factor: Number) -> str:
    """Write a power factor [1]."""
    return num(power_factor, 2)


def money(yuan: Number) -> str:
    """Write an amount [yuan] with its fen."""
    text = num(yuan, 2)
    if text == MISSING:
        return text
    return f"{MINUS}¥{text[1:]}" if text.startswith(MINUS) else f"¥{text}"


def _rounded(number: Decimal, decimals: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def dt_text(
    at: datetime, zone: ZoneInfo, *, lang: str, now: datetime, form: DateForm = "full"
) -> str:
    """Write an instant in the office's zone.

    Args:
        at: an aware instant.
        zone: the office's time zone.
        lang: language of the page.
        now: the present instant, for the short form.
        form: full (2026-06-18 19:47), seconds, or short (19:47 today, 06-16 14:05 this year).
    """
    local = _local(at, zone)
    if form == "seconds":
        return f"{local:%Y-%m-%d %H:%M:%S}"
    today = _local(now, zone)
    if form == "short" and local.date() == today.date():
        return f"{local:%H:%M}"
    if form == "short" and local.year == today.year:
        day = f"{local.day} {MONTHS[local.month - 1][:3]}" if lang == "en" else f"{local:%m-%d}"
        return f"{day} {local:%H:%M}"
    return f"{local:%Y-%m-%d %H:%M}"


def time_tag(at: datetime, zone: ZoneInfo, text: str, *, title: str = "") -> Markup:
    """Wrap a written time in <time datetime>, with the office's offset."""
    stamp = _local(at, zone).isoformat(timespec="seconds")
    more = Markup(' title="{}"').format(title) if title else Markup()
    return Markup('<time datetime="{}"{}>{}</time>').format(stamp, more, text)


def long_date(day: date | datetime | None, zone: ZoneInfo, *, lang: str) -> str:
    """Write a day in words: 2026 年 6 月 18 日 星期四, Thursday, 18 June 2026."""
    if day is None:
        return MISSING
    local = _local(day, zone).date() if isinstance(day, datetime) else day
    weekday = WEEKDAYS.get(lang, WEEKDAYS["zh-CN"])[local.weekday()]
    if lang == "en":
        return f"{weekday}, {local.day} {MONTHS[local.month - 1]} {local.year}"
    return f"{local.year} 年 {local.month} 月 {local.day} 日 星期{weekday}"


def dur(length: timedelta | Plain | None, t: Translate, *, seconds: bool = False) -> str:
    """Write a length of time in words, whole minutes that have passed.

    Args:
        length: a timedelta, or seconds [s].
        t: gives the words.
        seconds: whether seconds stand beside minutes (1 分 12 秒), under one hour.
    """
    total = _whole_seconds(length)
    if total is None:
        return MISSING
    sign, total = (MINUS, -total) if total < 0 else ("", total)
    minutes, rest = divmod(total, 60)
    hours, minutes = divmod(minutes, 60)
    days, day_hours = divmod(hours, 24)
    if days:
        return sign + t("dur.days", d=days, h=f"{day_hours:02}", m=f"{minutes:02}")
    if hours:
        return sign + t("dur.hours", h=hours, m=f"{minutes:02}")
    if minutes and seconds:
        return sign + t("dur.minutes_seconds", m=minutes, s=f"{rest:02}")
    return sign + (t("dur.minutes", m=minutes) if minutes else t("dur.seconds", s=rest))


def timer(length: timedelta | Plain | None) -> str:
    """Write a length of time as a clock: 02:47, 1:02:47."""
    total = _whole_seconds(length)
    if total is None:
        return MISSING
    sign, total = (MINUS, -total) if total < 0 else ("", total)
    minutes, rest = divmod(total, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours}:{minutes:02}:{rest:02}" if hours else f"{sign}{minutes:02}:{rest:02}"


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    if at.tzinfo is None:
        raise ValueError(at)  # a naive time is a bug of the caller, not a thing to guess
    return at.astimezone(zone)


def _whole_seconds(length: timedelta | Plain | None) -> int | None:
    number = exact(length.total_seconds() if isinstance(length, timedelta) else length)
    return None if number is None else math.trunc(number)


def phone(number: str | None) -> str:
    """Group a phone number: 130 0000 0421, 0571 8000 0000."""
    digits = _digits(number)
    if not digits:
        return MISSING
    if len(digits) == MOBILE_DIGITS and digits.startswith("1"):
        return f"{digits[:3]} {digits[3:7]} {digits[7:]}"
    if digits.startswith("0"):
        area = 3 if digits[1:2] in {"1", "2"} else 4
        return f"{digits[:area]} {_fours(digits[area:])}"
    return _fours(digits) if len(digits) == 8 else digits  # noqa: PLR2004 - a local number


def mask_phone(number: str | None) -> str:
    """Hide the middle of a phone number: 130 **** 0421."""
    digits = _digits(number)
    if not digits:
        return MISSING
    if len(digits) < 8:  # noqa: PLR2004 - nothing left to hide between seven digits
        return "****"
    return f"{digits[:3]} **** {digits[-4:]}"


def mask_name(name: str | None) -> str:
    """Hide most of a name: 林*满, 孙*, L***."""
    text = (name or "").strip()
    if not text:
        return MISSING
    if text[0].isascii():
        return f"{text[0]}***"
    if len(text) <= 2:  # noqa: PLR2004 - a family name and one more
        return f"{text[0]}*"
    return f"{text[0]}{'*' * (len(text) - 2)}{text[-1]}"


def account_no(number: str | None) -> str:
    """Group an account number 4-4-2: 9900 0412 07."""
    digits = _digits(number)
    if not digits:
        return MISSING
    return _fours(digits) if len(digits) == ACCOUNT_DIGITS else digits


def id_card(number: str | None) -> str:
    """Hide an identity number except its ends: 110*** **** **** 002X."""
    text = re.sub(r"\s", "", number or "").upper()
    if not text:
        return MISSING
    if len(text) == ID_CARD_CHARACTERS:
        return f"{text[:3]}*** **** **** {text[-4:]}"
    return f"**** {text[-2:]}"


def _digits(number: str | None) -> str:
    return re.sub(r"\D", "", re.sub(r"^\s*(\+|00)86", "", number or ""))


def _fours(digits: str) -> str:
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def register(
    env: Environment,
    *,
    language: Callable[[], str],
    zone: ZoneInfo,
    now: Callable[[], datetime],
    t: Translate,
) -> None:
    """Give templates one filter per kind of value, and the clock of the server.

    Args:
        env: where the filters go.
        language: gives the language of the request.
        zone: the office's time zone.
        now: gives the present instant.
        t: gives texts in the language of the request.
    """

    def dt(at: datetime | None, form: DateForm = "full") -> str:
        if at is None:
            return MISSING
        text = dt_text(at, zone, lang=language(), now=now(), form=form)
        title = "" if form != "short" else f"{_local(at, zone):%Y-%m-%d %H:%M:%S}"
        return time_tag(at, zone, text, title=title)

    def time_of_day(at: datetime | None, *, seconds: bool = False) -> str:
        if at is None:
            return MISSING
        local = _local(at, zone)
        text = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
        return time_tag(at, zone, text, title=f"{local:%Y-%m-%d %H:%M:%S}")

    def day(value: date | datetime | None) -> str:
        if value is None:
            return MISSING
        local = _local(value, zone).date() if isinstance(value, datetime) else value
        return Markup('<time datetime="{0}">{0}</time>').format(local.isoformat())

    def ago(at: datetime | None) -> str:
        if at is None:
            return MISSING
        passed = (now() - _local(at, zone)).total_seconds()
        if not 0 <= passed < 3600:  # noqa: PLR2004 - relative times only within the hour
            return dt(at, "short")
        just = passed < 10  # noqa: PLR2004 - seconds nobody counts
        text = t("dur.just_now") if just else t("dur.ago", time=dur(passed, t))
        return time_tag(at, zone, text, title=f"{_local(at, zone):%Y-%m-%d %H:%M:%S}")

    env.filters.update(
        num=num, pct=pct, kwh=kwh, kw=kw, power=kw, kva=kva, kvar=kvar, volt=volt, amp=amp,
        hz=hz, pf=pf, money=money, timer=timer, phone=phone, mask_phone=mask_phone,
        mask_name=mask_name, account_no=account_no, id_card=id_card, dt=dt,
        time_of_day=time_of_day, date=day, ago=ago, iso=lambda at: _iso(at, zone),
        long_date=lambda value: long_date(value, zone, lang=language()),
        iso_instant=datetime.fromisoformat, age=lambda at: now() - at,
        dur=lambda length, *, seconds=False: dur(length, t, seconds=seconds),
        nl2br=lambda text: Markup("<br>").join(escape(text).splitlines()),
    )  # fmt: skip
    env.globals["server_now"] = lambda: _iso(now(), zone)


def _iso(at: datetime | None, zone: ZoneInfo) -> str:
    return "" if at is None else _local(at, zone).isoformat(timespec="seconds")
