"""What a logged fault asks for: its urgency, and what is missing before it may be logged."""

from callcenter.calls.types import DANGERS, NOTHING, SYMPTOMS, FaultReport
from callcenter.tickets.types import Priority
from foundation.flow.forms import PHONE

WITHOUT_POWER = frozenset({"no_power", "part_power"})
"""Symptoms that may be an outage."""


def problems_of(report: FaultReport, *, has_point: bool) -> dict[str, str]:
    """Name what is missing before a fault may be logged, by field."""
    problems = {}
    if report.symptom not in SYMPTOMS:
        problems["symptom"] = "required"
    if not report.safety_asked:
        problems["dangers"] = "required"
    if report.contact_phone and not PHONE.fullmatch(report.contact_phone):
        problems["contact_phone"] = "phone"
    if not has_point and not report.address.strip():
        problems["address"] = "required"
    return problems


def dangers_of(ticked: tuple[str, ...]) -> tuple[str, ...]:
    """Give the real dangers of what was ticked; a danger outweighs "nothing"."""
    return tuple(one for one in DANGERS if one in ticked and one != NOTHING)


def priority_of(report: FaultReport, *, sensitive: bool) -> Priority:
    """Give the urgency of a fault: any danger, or a sensitive customer, makes it critical.

    Args:
        report: what was logged.
        sensitive: life support or important customer.
    """
    if dangers_of(report.dangers) or sensitive:
        return Priority.CRIT
    return Priority.MAJOR if report.symptom in WITHOUT_POWER else Priority.MINOR


def may_be_outage(report: FaultReport) -> bool:
    """Whether what the caller tells could be an outage."""
    return report.symptom in WITHOUT_POWER
