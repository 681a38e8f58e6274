"""Whether a notice goes out, and what it says."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from callcenter.messages.types import MessageBook, SkipReason, Template, TemplateUnknown
from foundation.worktime import quiet_until


def reason_to_skip(
    template: Template,
    *,
    phone: str,
    opted_out: bool,
    at: datetime,
    zone: ZoneInfo,
    book: MessageBook,
) -> SkipReason | None:
    """Name why a notice does not go out; None if it does."""
    if not phone:
        return SkipReason.NO_PHONE
    if opted_out:
        return SkipReason.OPTED_OUT
    if not template.urgent and quiet_until(at, book.quiet, zone) is not None:
        return SkipReason.QUIET_HOURS
    return None


def text_of(name: str, template: Template, lang: str, facts: Mapping[str, object]) -> str:
    """Fill a template's facts in.

    Raises:
        TemplateUnknown: a fact is missing.
    """
    text = template.en if lang == "en" else template.zh
    try:
        return text.format(**facts)
    except (KeyError, IndexError) as error:
        raise TemplateUnknown(template=name, fact=str(error)) from error
