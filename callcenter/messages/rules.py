"""Whether and when a notice goes out, and what it says."""

from collections.abc import Mapping
from datetime import datetime

from callcenter.messages.types import AtNight, SkipReason, Template, TemplateUnknown


def reason_to_skip(
    template: Template, *, phone: str, opted_out: bool, quiet_end: datetime | None
) -> SkipReason | None:
    """Name why a notice never goes out; None if it does.

    Args:
        template: the notice.
        phone: a plain number, or "".
        opted_out: whether the number wants no notices.
        quiet_end: when the quiet hours end that hold now; None outside of them.
    """
    if not phone:
        return SkipReason.NO_PHONE
    if opted_out:
        return SkipReason.OPTED_OUT
    if quiet_end is not None and template.at_night is AtNight.DROP:
        return SkipReason.OUT_OF_DATE
    return None


def held_until(template: Template, quiet_end: datetime | None) -> datetime | None:
    """Give when a notice that must wait goes out; None if it need not wait."""
    return quiet_end if template.at_night is AtNight.LATER else None


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
