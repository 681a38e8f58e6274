"""Texts: every page and every error is said in both languages, and nothing unsaid is kept."""

import ast
import inspect
import re
import string
from collections.abc import Iterator
from functools import cache

import pytest

from foundation.actor import Role
from foundation.errors import GridhallError
from loadmgmt.alerts.types import AlertKind, AlertState, Severity
from metering.network.types import Supply
from tests.structure.source import files, in_rooms, modules, names_called, text, tree
from webapp.auth.permissions import Permission
from webapp.navigation import TREE
from webapp.sentences import sentence, texts
from webapp.texts import FOLDERS

LITERAL = re.compile(r"""['"]([a-z0-9_]+(?:\.[a-z0-9_]+)+)['"]""")
MADE = re.compile(r"""(?:['"]([a-z0-9_.]+[._])['"] *~|f['"]([a-z0-9_.]+\.)\{)""")
VOCABULARY = ("kind.ticket.", "status.")
"""Words of the trade that stand complete, whether or not a page shows all of them yet."""
ALWAYS_SAID = {"id", "n"}  # facts every sentence may count on


@cache
def sources() -> str:
    """Give everything that may ask for a text."""
    kinds = {".py", ".html", ".js"}
    return "\n".join(
        text(one) for one in files() if one.suffix in kinds and one.parts[0] == "webapp"
    )


@cache
def errors() -> list[type[GridhallError]]:
    """List every error any room knows."""
    list(modules())
    found: list[type[GridhallError]] = []
    todo = [GridhallError]
    while todo:
        kind = todo.pop()
        if kind.__module__.split(".")[0] != "tests":
            found.append(kind)
        todo += kind.__subclasses__()
    return sorted(found, key=lambda one: one.__qualname__)


def placeholders(key: str, language: str) -> set[str]:
    said = texts().raw(language, key)
    return {name for _, name, _, _ in string.Formatter().parse(said) if name}


def key_of(kind: type[GridhallError], why: object = None) -> str:
    codes = [str(getattr(one, "code", "")) for one in kind.__mro__]
    keys = [f"error.{kind.code}.{why}", *(f"error.{code}" for code in codes)]
    return next(key for key in keys if texts().has(key))


def test_every_text_stands_in_every_language() -> None:
    one, *others = [texts().keys(language) for language in FOLDERS]
    for other in others:
        assert one ^ other == set()


def test_a_text_takes_the_same_facts_in_every_language() -> None:
    one, *others = FOLDERS
    differing = [
        key
        for key in sorted(texts().keys(one))
        for other in others
        if placeholders(key, one) != placeholders(key, other)
    ]
    assert differing == []


def test_no_text_is_kept_that_nobody_asks_for() -> None:
    asked = set(LITERAL.findall(sources()))
    made = tuple({a or b for a, b in MADE.findall(sources())})
    unused = [
        key
        for language in FOLDERS
        for key in sorted(texts().keys(language))
        if key not in asked and not key.startswith((*made, *VOCABULARY))
    ]
    assert unused == []


def test_every_text_a_page_asks_for_by_name_exists() -> None:
    asked = re.findall(r"""(?<![.\w])(?:t|js_text)\(\s*['"]([a-z0-9_.]+)['"]""", sources())
    assert sorted({key for key in asked if not texts().has(key) and key[-1] not in "._"}) == []


def words() -> Iterator[str]:
    yield from (f"role.{role}" for role in Role)
    yield from (f"permission.{one}" for one in Permission)
    yield from (f"severity.{one}" for one in Severity)
    yield from (f"status.alert.{one}" for one in AlertState)
    yield from (f"supply.{one}" for one in Supply)
    for kind in AlertKind:
        yield from (f"{part}.{kind}" for part in ("kind.alert", "evidence", "diagnosis.advice"))
    for group in TREE:
        yield from ([group.label_key] if group.label_key else [])
        yield from (item.label_key for item in group.items)


@pytest.mark.parametrize("language", FOLDERS)
def test_every_stored_word_has_a_text(language: str) -> None:
    assert set(words()) - texts().keys(language) == set()


def audited() -> set[str]:
    return {
        call.args[0].value
        for path in in_rooms()
        for call in ast.walk(tree(path))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) == "Act.of"
        and isinstance(call.args[0], ast.Constant)
    }


@pytest.mark.parametrize("language", FOLDERS)
def test_every_audited_act_has_a_text(language: str) -> None:
    assert {f"act.{name}" for name in audited()} - texts().keys(language) == set()


def test_every_error_is_said_by_its_own_sentence_or_by_its_kind() -> None:
    for kind in errors():
        assert key_of(kind), kind


def test_a_code_belongs_to_one_error_or_to_the_one_that_passes_it_on() -> None:
    codes: dict[str, type[GridhallError]] = {}
    for kind in errors():
        known = codes.setdefault(kind.code, kind)
        assert known is kind or known.__name__ == kind.__name__, kind


def test_every_sentence_of_an_error_is_the_sentence_of_some_error() -> None:
    codes = {kind.code for kind in errors()} | {"stale_form"}
    pages = {str(status) for status in (400, 401, 403, 404, 405, 409, 413, 422, 429, 500, 503)}
    words_of_pages = {"home", "reload", "status"}
    known = codes | pages | words_of_pages
    keys = [key for key in texts().keys("en") if key.startswith("error.")]
    assert sorted(key for key in keys if key.split(".")[1] not in known) == []


def raised() -> Iterator[tuple[str, type[GridhallError], ast.Call]]:
    """Give every place that makes an error, with the error it makes."""
    for one in modules():
        for name, call in names_called(ast.parse(inspect.getsource(one))):
            kind = getattr(one, name, None)
            if inspect.isclass(kind) and issubclass(kind, GridhallError) and takes_facts(kind):
                yield f"{one.__name__}:{call.lineno}", kind, call


def takes_facts(kind: type[GridhallError]) -> bool:
    return set(inspect.signature(kind.__init__).parameters) == {"self", "facts"}


def test_every_error_brings_the_facts_its_sentence_needs() -> None:
    lacking = []
    for where, kind, call in raised():
        given = {keyword.arg for keyword in call.keywords}
        why = next((k.value for k in call.keywords if k.arg == "why"), None)
        word = why.value if isinstance(why, ast.Constant) else None
        needed = placeholders(key_of(kind, word), "en") - ALWAYS_SAID
        if None not in given and not needed <= given:
            lacking.append(f"{where} {kind.__name__} lacks {sorted(needed - given)}")
    assert lacking == []


@pytest.mark.parametrize("language", FOLDERS)
def test_an_error_that_brings_nothing_is_said_by_its_kind_if_that_needs_nothing(
    language: str,
) -> None:
    for kind in errors():
        if takes_facts(kind) and not placeholders(key_of(kind), language) - ALWAYS_SAID:
            assert sentence(kind(), language)
