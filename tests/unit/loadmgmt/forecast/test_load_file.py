"""Files of measured loads: quarter hours of the office's clock, and refusals by line."""

import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from loadmgmt.forecast.rules.load_file import read_loads
from loadmgmt.forecast.types import LoadFileRefused

ZONE = ZoneInfo("Asia/Shanghai")


def test_times_without_an_offset_are_the_offices_and_an_empty_load_is_unknown() -> None:
    text = "# telemetry\ntime,kw\n2026-06-18T00:15,812.5\n2026-06-17T16:30+00:00,\n"
    rows = read_loads(io.StringIO(text), ZONE)
    assert [row.ts for row in rows] == [
        datetime(2026, 6, 17, 16, 15, tzinfo=UTC),
        datetime(2026, 6, 17, 16, 30, tzinfo=UTC),
    ]
    assert [row.kw for row in rows] == [812.5, None]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("ts,kw\n", 1),
        ("time,kw\n2026-06-18T00:10,1\n", 2),
        ("time,kw\n2026-06-18T00:15,1\n2026-06-18T00:30,nan\n", 3),
        ("time,kw\nnoon,1\n", 2),
        ("time,kw\n2026-06-18T00:15\n", 2),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(LoadFileRefused) as refused:
        read_loads(io.StringIO(text), ZONE, file="a.csv")
    assert refused.value.facts["line"] == line
