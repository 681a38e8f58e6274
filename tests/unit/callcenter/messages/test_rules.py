"""Whether a notice goes out, and what it says in both languages."""

import string
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from callcenter.messages.books import message_book, template_of
from callcenter.messages.rules import reason_to_skip, text_of
from callcenter.messages.types import SkipReason, TemplateUnknown

ZONE = ZoneInfo("Asia/Shanghai")
BOOK = message_book()
NIGHT = datetime(2026, 6, 18, 23, 0, tzinfo=ZONE).astimezone(UTC)
DAY = datetime(2026, 6, 18, 10, 0, tzinfo=ZONE).astimezone(UTC)
QUIET = template_of("power_restored")


def skip(
    *, phone: str = "13000000421", opted_out: bool = False, at: datetime = DAY, urgent: bool = False
) -> SkipReason | None:
    template = replace(QUIET, urgent=urgent)
    return reason_to_skip(template, phone=phone, opted_out=opted_out, at=at, zone=ZONE, book=BOOK)


def test_a_notice_goes_out_by_day_and_an_urgent_one_at_night() -> None:
    assert skip() is None
    assert skip(at=NIGHT, urgent=True) is None


def test_a_notice_is_skipped_for_one_reason_the_first_that_holds() -> None:
    assert skip(phone="", opted_out=True, at=NIGHT) is SkipReason.NO_PHONE
    assert skip(opted_out=True, at=NIGHT) is SkipReason.OPTED_OUT
    assert skip(at=NIGHT) is SkipReason.QUIET_HOURS


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
        text_of("power_restored", QUIET, "en", {})
    with pytest.raises(TemplateUnknown):
        template_of("no_such_notice")
