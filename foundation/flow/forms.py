"""Forms of moves as data: which fields, which values, and every problem said at once."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal

from foundation.datafiles import DataFileRefused, build, load_toml
from foundation.errors import BadData

PHONE = re.compile(r"1\d{10}|0\d{9,11}|\d{7,8}")  # mobile, area code and number, local
_ID_NO = re.compile(r"\d{17}[\dX]|[0-9A-Z]{8,20}")  # identity card, or another document
_ROW = re.compile(r"[0-9]{1,18}")  # what fits a row number


class FormRefused(BadData):
    """Fields are missing or wrong; `problems` names the sentence for each field."""

    code = "form_refused"

    def __init__(self, problems: Mapping[str, str], **facts: object) -> None:
        super().__init__(fields=sorted(problems), **facts)
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form."""

    kind: Literal[
        "text", "long_text", "choice", "checks", "number", "date", "crew", "row", "phone", "id_no"
    ]
    required: bool = False
    secret: bool = False  # never written into a case's history
    of: str = ""  # of a row: what list it is chosen from
    default: str = ""
    choices: tuple[str, ...] = ()
    unit: str = ""
    least: Decimal | None = None
    most: Decimal | None = None
    longest: int = 2000


@dataclass(frozen=True, slots=True)
class Form:
    """A named form."""

    fields: dict[str, Field] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FormBook:
    """All forms of a file."""

    source: str
    forms: dict[str, Form]

    def check(self, name: str, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Read what was filled in.

        Args:
            name: which form.
            raw: text by field; a list of texts for `checks`.

        Returns:
            Clean values by field; what was left empty is absent.

        Raises:
            FormRefused: with a problem code for each wrong field.
        """
        clean: dict[str, Any] = {}
        problems: dict[str, str] = {}
        for field_name, spec in self.forms[name].fields.items():
            value, problem = _read(spec, raw.get(field_name))
            if problem:
                problems[field_name] = problem
            elif value is not None:
                clean[field_name] = value
        if problems:
            raise FormRefused(problems, form=name)
        return clean


def without_secrets(form: Form, values: Mapping[str, Any]) -> dict[str, Any]:
    """Give what may be written into a history: whether a secret field was filled, not with what."""
    return {
        name: "***" if name in form.fields and form.fields[name].secret else value
        for name, value in values.items()
    }


def load_form_folder(folder: Path | Traversable) -> FormBook:
    """Load every file of forms in a folder as one book.

    Raises:
        DataFileRefused: a file says something unknown, or two define the same form.
    """
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    forms: dict[str, Form] = {}
    sources = []
    for file in files:
        book = load_forms(file)
        for name in book.forms.keys() & forms.keys():
            raise DataFileRefused(file=file.name, why=f"form {name!r} stands in two files")
        forms |= book.forms
        sources.append(book.source)
    return FormBook(source="; ".join(sources), forms=forms)


def load_forms(file: Path | Traversable) -> FormBook:
    """Load a file of forms.

    Raises:
        DataFileRefused: it says something unknown.
    """
    return build(FormBook, load_toml(file), where=file.name)


def _read(spec: Field, raw: Any) -> tuple[Any, str]:
    """Give the clean value, or the code of what is wrong with it."""
    if spec.kind == "checks":
        return _read_checks(spec, raw)
    said = str(raw or "").strip()
    if not said:
        return None, "required" if spec.required else ""
    return _READERS[spec.kind](spec, said)


def _read_text(spec: Field, said: str) -> tuple[Any, str]:
    return (None, "too_long") if len(said) > spec.longest else (said, "")


def _read_choice(spec: Field, said: str) -> tuple[Any, str]:
    return (said, "") if said in spec.choices else (None, "choice")


def _read_row(_: Field, said: str) -> tuple[Any, str]:
    return (int(said), "") if _ROW.fullmatch(said) else (None, "choice")


def _read_checks(spec: Field, raw: Any) -> tuple[Any, str]:
    ticked = [raw] if isinstance(raw, str) else list(raw or [])
    if any(one not in spec.choices for one in ticked):
        return None, "choice"
    if spec.required and set(ticked) != set(spec.choices):
        return None, "all_checks"
    return sorted(ticked), ""


def _read_number(spec: Field, said: str) -> tuple[Any, str]:
    try:
        value = Decimal(said.replace(",", ""))
    except InvalidOperation:
        return None, "number"
    if not value.is_finite():
        return None, "number"
    if spec.least is not None and value < spec.least:
        return None, "too_small"
    if spec.most is not None and value > spec.most:
        return None, "too_large"
    return str(value), ""


def _read_date(_: Field, said: str) -> tuple[Any, str]:
    try:
        return date.fromisoformat(said).isoformat(), ""
    except ValueError:
        return None, "date"


def _read_phone(_: Field, said: str) -> tuple[Any, str]:
    digits = re.sub(r"[\s\-()+]", "", said)
    digits = re.sub(r"^(0086|86)(?=1\d{10}$)", "", digits)
    return (digits, "") if PHONE.fullmatch(digits) else (None, "phone")


def _read_id_no(_: Field, said: str) -> tuple[Any, str]:
    plain = re.sub(r"\s", "", said).upper()
    return (plain, "") if _ID_NO.fullmatch(plain) else (None, "id_no")


_READERS: dict[str, Callable[[Field, str], tuple[Any, str]]] = {
    "text": _read_text,
    "long_text": _read_text,
    "choice": _read_choice,
    "number": _read_number,
    "date": _read_date,
    "crew": _read_row,
    "row": _read_row,
    "phone": _read_phone,
    "id_no": _read_id_no,
}
