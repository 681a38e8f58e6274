"""Spreadsheets: what goes out comes back, formulas are marked, everything else is refused."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from foundation.sheets import FORMULA, Line, SheetUnreadable, read_sheet, write_sheet

CELLS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20).map(
    str.strip
)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=6))
def test_a_text_that_is_written_is_read_again(rows: list[list[str]]) -> None:
    found = read_sheet(write_sheet("t", rows), most=100)
    wanted = [list(row) for row in rows if any(row)]
    assert [list(line.cells)[: len(row)] for line, row in zip(found, wanted, strict=True)] == wanted


def test_numbers_lose_no_digit_and_gain_no_point() -> None:
    book = Workbook()
    book.worksheets[0].append([502, 30.0, 0.5, None, True])
    out = io.BytesIO()
    book.save(out)
    assert read_sheet(out.getvalue(), most=9) == [Line(1, ("502", "30", "0.5", "", "true"))]


def test_a_formula_is_no_value() -> None:
    book = Workbook()
    book.worksheets[0].append(["=1+1", "x"])
    out = io.BytesIO()
    book.save(out)
    assert read_sheet(out.getvalue(), most=9)[0].cells[0] == FORMULA + "=1+1"
    assert read_sheet(b"=1+1,x", most=9)[0].cells == (FORMULA + "=1+1", "x")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_text_is_read_as_it_is_saved_in_this_country(delimiter: str, encoding: str) -> None:
    content = delimiter.join(["台区", '"a b"']) + "\r\n\r\n" + delimiter.join(["一", "2"])
    lines = read_sheet(content.encode(encoding), most=9)
    assert lines == [Line(1, ("台区", "a b")), Line(3, ("一", "2"))]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\x89PNG\r\n\x1a\n\xff\xff", "kind"),
        (b"PK\x03\x04 and no more", "broken"),
        (b"a\nb\nc", "rows"),
        (b"a\x00b", "kind"),
    ],
)
def test_what_is_no_list_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(SheetUnreadable) as refused:
        read_sheet(content, most=2)
    assert refused.value.facts["why"] == why


def test_an_archive_of_something_else_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(SheetUnreadable):
        read_sheet(out.getvalue(), most=2)
