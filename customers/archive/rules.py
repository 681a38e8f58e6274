"""What is known of a planned change of the archive, line by line; how a number is written."""

import re
from collections.abc import Collection, Mapping
from datetime import date

from customers.archive.types import Line, LineState

_ABROAD = re.compile(r"^(\+|00)86")
FIELDS: Mapping[str, tuple[str, ...]] = {
    "customer": ("name", "contact_name", "phone", "id_no"),
    "premises": ("address",),
    "account": ("account_no", "category", "contract_kw", "tariff_code"),
    "supply_point": ("area", "box_no", "supply"),
    "meter": ("meter_no", "start_kwh", "fitted_at"),
    "terminal": ("terminal_no",),
}
"""What a new supply writes, thing by thing, in the order of a list."""


def plain_number(said: str) -> str:
    """Give a number's digits without the country's code: +86 130 0000 0421 is 13000000421."""
    joined = re.sub(r"[\s\-()]", "", said)
    return re.sub(r"\D", "", _ABROAD.sub("", joined))


def never_cut(
    life_support_until: date | None, important_grade: int | None
) -> tuple[str | None, date | None]:
    """Say why supply at an account is never taken away remotely, and until which day.

    An important customer is protected without end; life support as long as it is registered.
    """
    if important_grade is not None:
        return "important", None
    if life_support_until is not None:
        return "life_support", life_support_until
    return None, None


def planned(
    values: Mapping[str, str | None],
    sources: Mapping[str, str],
    *,
    locked: Mapping[str, str | None],
    current: Mapping[str, str | None],
    done: Collection[str],
    settled: Mapping[str, str],
) -> list[Line]:
    """Set what a case will write beside what the archive said and says.

    Args:
        values: by line (customer.phone), as the case has them; None is not known yet.
        sources: by line, the step it comes from.
        locked: by line, the archive when the case was accepted; absent is nothing.
        current: by line, the archive now.
        done: steps that are behind the case.
        settled: by line, which current value somebody has decided to overwrite, or `keep`.

    Returns:
        One line for each field, in the order of FIELDS; a field that changes nothing, or
        that somebody decided to keep, is left out.
    """
    lines = []
    for thing, fields in FIELDS.items():
        for field in fields:
            key = f"{thing}.{field}"
            was, now, after = locked.get(key), current.get(key), values.get(key)
            choice = settled.get(key)
            says_nothing_new = after is not None and was == now == after
            if choice == f"keep:{now}" or says_nothing_new:
                continue
            state = _state(was, now, after, is_done=sources[key] in done)
            if state is LineState.CONFLICT and choice == f"write:{now}":
                state = LineState.FIXED
            lines.append(Line(thing, field, was, now, after, sources[key], state))
    return lines


def _state(was: str | None, now: str | None, after: str | None, *, is_done: bool) -> LineState:
    if after is None:
        return LineState.MISSING
    if now not in {was, after}:
        return LineState.CONFLICT
    return LineState.FIXED if is_done else LineState.UNSAVED_STAGE


def problems(lines: Collection[Line]) -> tuple[list[str], list[str]]:
    """Give the lines in conflict and the lines that are not known yet."""
    conflicts = [line.key for line in lines if line.state is LineState.CONFLICT]
    missing = [line.key for line in lines if line.state is LineState.MISSING]
    return conflicts, missing
