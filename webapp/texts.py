"""Texts of the pages: dotted keys, .po files per language read at start, nothing compiled.

    texts = Texts.load(Path("webapp/translations"))
    texts.t("zh-CN", "ticket.opened_at", time="19:47")
    texts.t("en", "alerts.new", n=3)

Facts stand in braces in the text ("{time}"); a number of things is always the fact `n`.
"""

import gettext
import io
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from jinja2 import Environment
from markupsafe import escape

from foundation.errors import BadData

logger = logging.getLogger(__name__)

# language of a page: folder of its .po files
FOLDERS = {"zh-CN": "zh_Hans", "en": "en"}
DEFAULT_LANGUAGE = "zh-CN"
SEVERAL = 2


class TextsRefused(BadData):
    """A .po file cannot be used; facts: file, why."""

    code = "texts_refused"


class TextMissing(BadData):
    """A page asks for a text nobody wrote, or leaves out a fact; facts: lang, key, fact."""

    code = "text_missing"


class Texts:
    """All texts of all languages."""

    def __init__(self, translations: Mapping[str, "Translation"], *, strict: bool = True) -> None:
        self._translations = translations
        self._strict = strict
        self._told: set[tuple[str, str]] = set()

    @classmethod
    def load(cls, folder: Path, *, strict: bool = True) -> "Texts":
        """Read every .po file of every language.

        Args:
            folder: holds one folder per language, as named in FOLDERS.
            strict: whether an unknown key raises (tests, development) or shows itself and is
                logged once (production).

        Raises:
            TextsRefused: a file is malformed, a key stands twice, or has no text.
        """
        found = {lang: _read_language(folder / name, name) for lang, name in FOLDERS.items()}
        return cls(found, strict=strict)

    def t(self, lang: str, key: str, /, **facts: object) -> str:
        """Give a text, with its facts filled in; where it has plural forms, the one for `n`.

        Facts that are Markup stay markup; everything else around them is then escaped.
        """
        translation = self._translation(lang)
        if key not in translation.keys:
            return self._missing(lang, key)
        return self._filled(lang, key, translation.said(key, facts.get("n")), facts)

    def raw(self, lang: str, key: str) -> str:
        """Give a text with its braces unfilled, for scripts that fill them in themselves."""
        translation = self._translation(lang)
        if key not in translation.keys:
            return self._missing(lang, key)
        return translation.said(key)

    def keys(self, lang: str) -> frozenset[str]:
        """Name every text of a language."""
        return self._translation(lang).keys

    def has(self, key: str) -> bool:
        """Tell whether a text exists, for keys built from stored words."""
        return key in self._translation(DEFAULT_LANGUAGE).keys

    def _translation(self, lang: str) -> "Translation":
        return self._translations.get(lang) or self._translations[DEFAULT_LANGUAGE]

    def _filled(self, lang: str, key: str, text: str, facts: Mapping[str, object]) -> str:
        if not facts and "{" not in text:
            return text
        try:
            if any(hasattr(fact, "__html__") for fact in facts.values()):
                return escape(text).format(**facts)
            return text.format(**facts)
        except (KeyError, IndexError, ValueError) as error:
            if self._strict:
                raise TextMissing(lang=lang, key=key, fact=str(error)) from error
            self._tell_once(lang, key, "text lacks a fact")
            return text

    def _missing(self, lang: str, key: str) -> str:
        if self._strict:
            raise TextMissing(lang=lang, key=key)
        self._tell_once(lang, key, "text missing")
        return key

    def _tell_once(self, lang: str, key: str, message: str) -> None:
        if (lang, key) not in self._told:
            self._told.add((lang, key))
            logger.error(message, extra={"lang": lang, "key": key})


class Translation:
    """One language: its keys, those with plural forms, and the compiled texts."""

    def __init__(
        self, keys: frozenset[str], plural: frozenset[str], compiled: gettext.GNUTranslations
    ) -> None:
        self.keys = keys
        self._plural = plural
        self.compiled = compiled

    def said(self, key: str, n: object = None) -> str:
        """Give a text with its braces; a number that is none counts as several."""
        if key not in self._plural:
            return self.compiled.gettext(key)
        return self.compiled.ngettext(key, key, n if isinstance(n, int) else SEVERAL)


def register(env: Environment, texts: Texts, *, language: Callable[[], str]) -> None:
    """Give templates `t`, `js_text` and `has_text`, in the language of the request."""

    def t(key: str, **facts: object) -> str:
        return texts.t(language(), key, **facts)

    env.globals["t"] = t
    env.globals["js_text"] = lambda key: texts.raw(language(), key)
    env.globals["has_text"] = texts.has


def _read_language(folder: Path, locale: str) -> Translation:
    whole = Catalog(locale=locale)
    owner: dict[str, str] = {}
    plural: set[str] = set()
    for path in sorted(folder.glob("*.po")):
        for key, text in _entries(path):
            if key in owner:
                raise TextsRefused(file=path.name, why=f"{key} stands in {owner[key]} too")
            owner[key] = path.name
            if isinstance(text, tuple):
                plural.add(key)
            whole.add((key, key) if key in plural else key, text)
    compiled = io.BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return Translation(frozenset(owner), frozenset(plural), gettext.GNUTranslations(compiled))


def _entries(path: Path) -> list[tuple[str, str | tuple[str, ...]]]:
    try:
        with path.open("rb") as file:
            catalog = read_po(file, abort_invalid=True)
    except PoFileError as error:
        raise TextsRefused(file=path.name, why=str(error)) from error
    entries: list[tuple[str, str | tuple[str, ...]]] = []
    for message in catalog:
        if not message.id:
            continue  # the header
        key = message.id if isinstance(message.id, str) else message.id[0]
        said = message.string or ""
        text = said if isinstance(said, str) else tuple(said)
        if not text or (isinstance(text, tuple) and not all(text)):
            raise TextsRefused(file=path.name, why=f"{key} has no text")
        entries.append((key, text))
    return entries
