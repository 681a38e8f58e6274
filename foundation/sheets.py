"""Spreadsheets in and out: CSV and XLSX as rows of text, nothing computed, nothing guessed."""

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from foundation.errors import BadData

FORMULA = "\x1f"
"""What stands before the text of a cell that holds a formula and no value."""
LIMIT_BYTES = 200_000_000  # an archive that unpacks to more is no list of anything


class SheetUnreadable(BadData):
    """A file is no spreadsheet we can read; facts: why."""

    code = "sheet_unreadable"


@dataclass(frozen=True, slots=True)
class Line:
    """One row with anything in it; number counts from 1, as the sheet shows it."""

    number: int
    cells: tuple[str, ...]


def read_sheet(content: bytes, *, most: int) -> list[Line]:
    """Read the first sheet of a file, by what it is and not by its name.

    Args:
        content: the file.
        most: rows at most, empty ones left out.

    Raises:
        SheetUnreadable: it is neither XLSX nor text (why: kind), is broken (broken), holds
            more rows (rows), or unpacks to too much (size).
    """
    found: list[Line] = []
    lines = _of_workbook(content) if content[:2] == b"PK" else _of_text(content)
    for line in lines:
        if not any(line.cells):
            continue
        if len(found) >= most:
            raise SheetUnreadable(why="rows", most=most)
        found.append(line)
    return found


def write_sheet(title: str, rows: Sequence[Sequence[str | int]]) -> bytes:
    """Make an XLSX of one sheet; the first row is its head."""
    book = Workbook()
    sheet: Worksheet = book.worksheets[0]
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(cell.column or 1)].width = 16
    for cells in sheet.iter_rows():
        for cell in cells:
            if isinstance(cell.value, str):
                cell.data_type = "s"  # a text that begins with = stays a text
    sheet.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _of_workbook(content: bytes) -> Iterator[Line]:
    try:
        _refuse_bomb(content)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False)
        for number, cells in enumerate(book.worksheets[0].iter_rows(), start=1):
            yield Line(number, tuple(_said(cell.value, cell.data_type) for cell in cells))
    except SheetUnreadable:
        raise
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, IndexError,
            SyntaxError, OSError) as error:  # fmt: skip
        raise SheetUnreadable(why="broken") from error


def _refuse_bomb(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > LIMIT_BYTES:
            raise SheetUnreadable(why="size")


def _of_text(content: bytes) -> Iterator[Line]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("gb18030")  # what spreadsheet programs in China save
        except UnicodeDecodeError as error:
            raise SheetUnreadable(why="kind") from error
    if "\x00" in text:
        raise SheetUnreadable(why="kind")
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            yield Line(reader.line_num, tuple(_said(one, "f" if one[:1] == "=" else "s")
                                              for one in cells))  # fmt: skip
    except csv.Error as error:
        raise SheetUnreadable(why="broken") from error


def _said(value: Any, kind: str) -> str:
    """Give a cell as text: whole numbers without a point, formulas marked."""
    if value is None:
        return ""
    if kind == "f":
        return FORMULA + str(getattr(value, "text", value)).strip()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value).strip()
