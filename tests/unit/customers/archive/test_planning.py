"""The plan of a change: nothing is overwritten that somebody else changed meanwhile."""

from hypothesis import given
from hypothesis import strategies as st

from customers.archive.rules import FIELDS, plain_number, planned, problems
from customers.archive.types import Line, LineState

KEYS = [f"{thing}.{field}" for thing, fields in FIELDS.items() for field in fields]
WORDS = st.one_of(st.none(), st.sampled_from(["甲", "乙", "丙"]))
MAPS = st.dictionaries(st.sampled_from(KEYS), WORDS)
SOURCES = dict.fromkeys(KEYS, "accept")


def lines(
    values: dict[str, str | None],
    *,
    locked: dict[str, str | None] | None = None,
    current: dict[str, str | None] | None = None,
    settled: dict[str, str] | None = None,
) -> dict[str, Line]:
    found = planned(
        values,
        SOURCES,
        locked=locked or {},
        current=current or {},
        done=["accept"],
        settled=settled or {},
    )
    return {line.key: line for line in found}


@given(values=MAPS, locked=MAPS, current=MAPS)
def test_a_value_changed_by_others_is_never_written_unasked(
    values: dict[str, str | None], locked: dict[str, str | None], current: dict[str, str | None]
) -> None:
    for key, line in lines(values, locked=locked, current=current).items():
        changed = current.get(key) != locked.get(key)
        if changed and line.after is not None and line.after != line.current:
            assert line.state is LineState.CONFLICT
        if line.state is LineState.FIXED:
            assert line.current in {line.locked, line.after}


@given(values=MAPS, locked=MAPS, current=MAPS)
def test_no_field_is_listed_twice_and_the_order_is_that_of_the_list(
    values: dict[str, str | None], locked: dict[str, str | None], current: dict[str, str | None]
) -> None:
    keys = list(lines(values, locked=locked, current=current))
    assert keys == [key for key in KEYS if key in keys]


def test_a_conflict_is_decided_for_the_value_that_was_seen_and_no_other() -> None:
    key = "customer.phone"
    facts = {"locked": {key: "甲"}, "current": {key: "乙"}}
    assert lines({key: "丙"}, **facts)[key].state is LineState.CONFLICT  # type: ignore[arg-type]
    write, keep = {key: "write:乙"}, {key: "keep:乙"}
    assert lines({key: "丙"}, **facts, settled=write)[key].state is LineState.FIXED  # type: ignore[arg-type]
    assert key not in lines({key: "丙"}, **facts, settled=keep)  # type: ignore[arg-type]
    later = facts | {"current": {key: "丁"}}
    assert lines({key: "丙"}, **later, settled=write)[key].state is LineState.CONFLICT  # type: ignore[arg-type]


def test_what_is_missing_and_what_conflicts_is_named() -> None:
    found = lines(
        dict.fromkeys(KEYS, "甲") | {"meter.meter_no": None},
        locked={"customer.phone": "乙"},
        current={"customer.phone": "丙"},
    )
    assert problems(list(found.values())) == (["customer.phone"], ["meter.meter_no"])


@given(digits=st.from_regex(r"1[0-9]{10}", fullmatch=True))
def test_a_number_is_the_same_however_it_is_written(digits: str) -> None:
    written = (
        f"+86 {digits[:3]} {digits[3:7]}-{digits[7:]}",
        f"0086{digits}",
        f"({digits[:3]}) {digits[3:]}",
    )
    assert {plain_number(one) for one in written} == {digits}
