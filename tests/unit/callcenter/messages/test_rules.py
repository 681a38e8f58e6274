"""Whether and when a notice goes out, and what it says in both languages."""

import string
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from callcenter.messages.books import message_book, template_of
from callcenter.messages.rules import held_until, reason_to_skip, text_of, time_text
from callcenter.messages.types import SkipReason, TemplateUnknown

ZONE = ZoneInfo("Asia/Shanghai")
BOOK = message_book()
NIGHT = datetime(2026, 6, 18, 23, 0, tzinfo=ZONE).astimezone(UTC)
MORNING = datetime(2026, 6, 19, 8, 0, tzinfo=ZONE).astimezone(UTC)
ANY = template_of("power_restored")


def test_a_notice_is_skipped_for_one_reason_the_first_that_holds() -> None:
    assert reason_to_skip(phone="", opted_out=True) is SkipReason.NO_PHONE
    assert reason_to_skip(phone="13000000421", opted_out=True) is SkipReason.OPTED_OUT
    assert reason_to_skip(phone="13000000421", opted_out=False) is None


@pytest.mark.parametrize(
    ("urgent", "at", "held"), [(True, NIGHT, None), (False, NIGHT, MORNING), (False, MORNING, None)]
)
def test_a_notice_that_can_wait_waits_for_the_end_of_quiet_hours(
    at: datetime, held: datetime | None, *, urgent: bool
) -> None:
    assert held_until(replace(ANY, urgent=urgent), at, book=BOOK, zone=ZONE) == held


def test_a_time_of_another_day_has_its_date() -> None:
    assert time_text(NIGHT, NIGHT, ZONE) == "23:00"
    assert time_text(MORNING, NIGHT, ZONE) == "06-19 08:00"


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
