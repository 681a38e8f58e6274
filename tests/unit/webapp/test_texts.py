"""Texts: dotted keys, plural forms, what happens to a key nobody wrote."""

import logging
import re
import string
from pathlib import Path

import pytest
from jinja2 import Environment
from markupsafe import Markup

import webapp
from webapp import texts
from webapp.texts import TextMissing, Texts, TextsRefused

SHIPPED = Path(webapp.__file__).parent / "translations"
TEMPLATES = Path(webapp.__file__).parent / "templates"
HEAD = {
    "zh_Hans": '"Plural-Forms: nplurals=1; plural=0;\\n"',
    "en": '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"',
}


def write(folder: Path, language: str, body: str, name: str = "page.po") -> None:
    (folder / language).mkdir(exist_ok=True)
    head = f'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n{HEAD[language]}\n'
    (folder / language / name).write_text(f"{head}\n{body}", encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(
        tmp_path,
        "zh_Hans",
        'msgid "alerts.title"\nmsgstr "告警"\n\nmsgid "ticket.at"\nmsgstr "{time} 派发"\n\n'
        'msgid "alerts.new"\nmsgid_plural "alerts.new"\nmsgstr[0] "新增 {n} 条"\n',
    )
    write(
        tmp_path,
        "en",
        'msgid "alerts.title"\nmsgstr "Alerts"\n\nmsgid "ticket.at"\nmsgstr "sent {time}"\n\n'
        'msgid "alerts.new"\nmsgid_plural "alerts.new"\n'
        'msgstr[0] "{n} new alert"\nmsgstr[1] "{n} new alerts"\n',
    )
    return tmp_path


def test_a_key_has_a_text_in_both_languages(folder: Path) -> None:
    found = Texts.load(folder)
    assert found.t("zh-CN", "alerts.title") == "告警"
    assert found.t("en", "alerts.title") == "Alerts"


def test_facts_are_filled_in(folder: Path) -> None:
    assert Texts.load(folder).t("zh-CN", "ticket.at", time="19:47") == "19:47 派发"


@pytest.mark.parametrize(
    ("n", "said"), [(0, "0 new alerts"), (1, "1 new alert"), (2, "2 new alerts")]
)
def test_english_counts_with_its_two_forms(folder: Path, n: int, said: str) -> None:
    assert Texts.load(folder).t("en", "alerts.new", n=n) == said


def test_chinese_counts_with_its_one_form(folder: Path) -> None:
    found = Texts.load(folder)
    assert [found.t("zh-CN", "alerts.new", n=n) for n in (1, 3)] == ["新增 1 条", "新增 3 条"]


def test_an_unknown_language_is_answered_in_chinese(folder: Path) -> None:
    assert Texts.load(folder).t("fr", "alerts.title") == "告警"


def test_an_unknown_key_raises_where_people_develop(folder: Path) -> None:
    with pytest.raises(TextMissing):
        Texts.load(folder).t("en", "alerts.nobody")
    with pytest.raises(TextMissing):
        Texts.load(folder).t("en", "alerts.nobody", n=1)


def test_an_unknown_key_shows_itself_in_production_and_is_logged_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found = Texts.load(folder, strict=False)
    with caplog.at_level(logging.ERROR):
        assert [found.t("en", "alerts.nobody") for _ in range(3)] == ["alerts.nobody"] * 3
    assert [record.message for record in caplog.records] == ["text missing"]


def test_a_missing_fact_raises_where_people_develop(folder: Path) -> None:
    with pytest.raises(TextMissing):
        Texts.load(folder).t("en", "ticket.at", place="yard")


def test_a_missing_fact_leaves_the_text_as_it_is_in_production(folder: Path) -> None:
    assert Texts.load(folder, strict=False).t("en", "ticket.at", x=1) == "sent {time}"


def test_markup_facts_stay_markup_and_others_are_escaped(folder: Path) -> None:
    found = Texts.load(folder)
    said = found.t("en", "ticket.at", time=Markup("<time>19:47</time>"))
    assert said == Markup("sent <time>19:47</time>")
    assert isinstance(said, Markup)


def test_scripts_get_the_braces_unfilled(folder: Path) -> None:
    assert Texts.load(folder).raw("en", "ticket.at") == "sent {time}"


def test_a_key_in_two_files_is_refused(folder: Path) -> None:
    write(folder, "en", 'msgid "alerts.title"\nmsgstr "Again"\n', "other.po")
    with pytest.raises(TextsRefused) as refused:
        Texts.load(folder)
    assert refused.value.facts["why"] == "alerts.title stands in other.po too"


def test_a_key_without_text_is_refused(folder: Path) -> None:
    write(folder, "en", 'msgid "empty.one"\nmsgstr ""\n', "other.po")
    with pytest.raises(TextsRefused):
        Texts.load(folder)


def test_templates_speak_the_language_of_the_request(folder: Path) -> None:
    env, language = Environment(autoescape=True), ["zh-CN"]
    texts.register(env, Texts.load(folder), language=lambda: language[0])
    page = env.from_string("{{ t('alerts.title') }} {{ t('alerts.new', n=2) }}")
    assert page.render() == "告警 新增 2 条"
    language[0] = "en"
    assert page.render() == "Alerts 2 new alerts"


def test_both_shipped_languages_say_everything_the_other_says() -> None:
    shipped = Texts.load(SHIPPED)
    assert shipped.keys("en") == shipped.keys("zh-CN")


def test_both_shipped_languages_use_the_same_facts() -> None:
    shipped = Texts.load(SHIPPED)

    def facts(lang: str, key: str) -> set[str]:
        parsed = string.Formatter().parse(shipped.raw(lang, key))
        return {field for _, field, _, _ in parsed if field}

    differing = [key for key in shipped.keys("en") if facts("en", key) != facts("zh-CN", key)]
    assert differing == []


def test_every_text_a_template_asks_for_is_written() -> None:
    known = Texts.load(SHIPPED).keys("en")
    asked = {
        (page.name, key)
        for page in TEMPLATES.rglob("*.html")
        for key in re.findall(r"""\btn?\(\s*['"]([\w.]+)['"]\s*[,)]""", page.read_text("utf-8"))
    }
    assert sorted((page, key) for page, key in asked if key not in known) == []


@pytest.mark.parametrize(
    ("key", "zh", "en"),
    [
        ("status.ticket.sent", "已派发", "Sent"),
        ("kind.alert.under_voltage", "电压越下限", "Under-voltage"),
        ("severity.crit", "紧急", "Critical"),
        ("kind.ticket.fault", "故障报修", "Fault"),
        ("role.dispatcher", "调度员", "Dispatcher"),
    ],
)
def test_the_vocabulary_has_one_word_per_state(key: str, zh: str, en: str) -> None:
    shipped = Texts.load(SHIPPED)
    assert (shipped.t("zh-CN", key), shipped.t("en", key)) == (zh, en)
