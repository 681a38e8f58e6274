"""Whether and when a notice goes out, and what it says."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from callcenter.messages.types import MessageBook, SkipReason, Template, TemplateUnknown
from foundation.worktime import quiet_until


def reason_to_skip(*, phone: str, opted_out: bool) -> SkipReason | None:
    """Name why a notice never goes out; None if it does.

    Args:
        phone: a plain number, or "".
        opted_out: whether the number wants no notices.
    """
    if not phone:
        return SkipReason.NO_PHONE
    return SkipReason.OPTED_OUT if opted_out else None


def held_until(
    template: Template, now: datetime, *, book: MessageBook, zone: ZoneInfo
) -> datetime | None:
    """Give the end of the quiet hours a notice has to wait for; None if it goes out now."""
    return None if template.urgent else quiet_until(now, book.quiet, zone)


def time_text(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Write a time as customers read it: `14:05`, on another day `11-23 02:30`."""
    local = at.astimezone(zone)
    is_today = local.date() == now.astimezone(zone).date()
    return f"{local:%H:%M}" if is_today else f"{local:%m-%d %H:%M}"


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
