"""Whether and when a notice goes out, and what it says in both languages."""

import string
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from callcenter.messages.books import message_book, template_of
from callcenter.messages.rules import held_until, reason_to_skip, text_of
from callcenter.messages.types import AtNight, SkipReason, TemplateUnknown

BOOK = message_book()
MORNING = datetime(2026, 6, 19, 0, 0, tzinfo=UTC)
ANY = template_of("power_restored")


def skip(
    *,
    phone: str = "13000000421",
    opted_out: bool = False,
    quiet_end: datetime | None = None,
    at_night: AtNight = AtNight.DROP,
) -> SkipReason | None:
    template = replace(ANY, at_night=at_night)
    return reason_to_skip(template, phone=phone, opted_out=opted_out, quiet_end=quiet_end)


def test_a_notice_is_skipped_for_one_reason_the_first_that_holds() -> None:
    assert skip(phone="", opted_out=True, quiet_end=MORNING) is SkipReason.NO_PHONE
    assert skip(opted_out=True, quiet_end=MORNING) is SkipReason.OPTED_OUT
    assert skip(quiet_end=MORNING) is SkipReason.OUT_OF_DATE
    assert skip() is None


@pytest.mark.parametrize("at_night", [AtNight.SEND, AtNight.LATER])
def test_only_what_is_out_of_date_by_the_morning_is_dropped_at_night(at_night: AtNight) -> None:
    assert skip(quiet_end=MORNING, at_night=at_night) is None


@pytest.mark.parametrize(
    ("at_night", "held"), [(AtNight.SEND, None), (AtNight.LATER, MORNING), (AtNight.DROP, None)]
)
def test_a_notice_that_can_wait_waits_for_the_end_of_quiet_hours(
    at_night: AtNight, held: datetime | None
) -> None:
    template = replace(ANY, at_night=at_night)
    assert held_until(template, MORNING) == held
    assert held_until(template, None) is None


@pytest.mark.parametrize("name", sorted(BOOK.templates))
def test_both_languages_of_a_template_ask_for_the_same_facts(name: str) -> None:
    template = BOOK.templates[name]
    asked = [
        {field for _, field, _, _ in string.Formatter().parse(text) if field}
        for text in (template.zh, template.en)
    ]
    assert asked[0] == asked[1]
    facts = dict.fromkeys(asked[0], "x")
    assert "{" not in text_of(name, template, "zh-CN", facts) + text_of(name, template, "en", facts)


def test_a_missing_fact_and_an_unknown_template_are_refused() -> None:
    with pytest.raises(TemplateUnknown):
        text_of("power_restored", ANY, "en", {})
    with pytest.raises(TemplateUnknown):
        template_of("no_such_notice")
