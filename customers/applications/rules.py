"""Which flow a request takes, what a step still needs, and how long each step took."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from customers.applications.types import ApplicationKind, Blocker, DocumentState, Span
from foundation.flow.limits import Limit
from metering.api.types import Supply

SINGLE_PHASE_KW = 12
"""Up to so much a single phase may supply (供电营业规则 2024, article 9) [kW]."""

SOURCES: Mapping[str, str] = {
    "customer.name": "accept",
    "customer.contact_name": "accept",
    "customer.phone": "accept",
    "customer.id_no": "accept",
    "premises.address": "accept",
    "account.account_no": "accept",
    "account.category": "accept",
    "account.contract_kw": "survey",
    "account.tariff_code": "contract",
    "supply_point.area": "survey",
    "supply_point.box_no": "survey",
    "supply_point.supply": "survey",
    "meter.meter_no": "fit_meter",
    "meter.start_kwh": "fit_meter",
    "meter.fitted_at": "fit_meter",
    "terminal.terminal_no": "fit_meter",
}
"""From which step each line of a new supply's archive comes."""


@dataclass(frozen=True, slots=True)
class DocumentRule:
    """When a document is needed.

    Attributes:
        needed_at: the step that cannot be completed without it.
        promised_until: the step up to which it may be promised instead; empty for never.
    """

    needed_at: str
    promised_until: str = ""
    optional: bool = False
    from_customer: bool = True
    icon: str = "file-text"


@dataclass(frozen=True, slots=True)
class Documents:
    """What documents.toml says: by flow, by kind of document."""

    source: str
    flows: dict[str, dict[str, DocumentRule]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Promises:
    """What promises.toml says: by flow, by promise."""

    source: str
    flows: dict[str, dict[str, Limit]] = field(default_factory=dict)

    def limits(self, flow: str, overrides: Mapping[str, object]) -> dict[str, Limit]:
        """Give what is promised, an office's own figures laid over the packaged ones.

        Args:
            flow: name of the flow.
            overrides: working days by key, e.g. `applications.<flow>.whole` = 4.
        """
        return {
            name: _replaced(limit, overrides.get(f"applications.{flow}.{name}"))
            for name, limit in self.flows.get(flow, {}).items()
        }


def _replaced(limit: Limit, figure: object) -> Limit:
    if isinstance(figure, bool) or not isinstance(figure, int) or figure < 1:
        return limit
    return Limit(working_days=figure)


def flow_of(kind: ApplicationKind) -> str:
    """Name the flow a kind of business takes."""
    return kind.value


def supply_too_small(supply: Supply, kilowatts: float) -> bool:
    """Whether a single phase is asked to carry more than it may."""
    return supply is Supply.SINGLE_220 and kilowatts > SINGLE_PHASE_KW


def state_of(
    rule: DocumentRule,
    *,
    has_file: bool,
    is_promised: bool,
    step: str,
    stages: Sequence[str],
) -> DocumentState:
    """Say how it stands with a document while a case is at a step.

    Args:
        rule: when it is needed.
        has_file: whether it was handed in.
        is_promised: whether it was promised for later.
        step: where the case stands.
        stages: the straight way of the flow.
    """
    if has_file:
        return DocumentState.RECEIVED
    here = stages.index(step) if step in stages else len(stages)
    if rule.optional:
        return DocumentState.OPTIONAL
    if here < stages.index(rule.needed_at):
        return DocumentState.NOT_YET
    owed_from = stages.index(rule.promised_until) if rule.promised_until else -1
    if is_promised and here < owed_from:
        return DocumentState.PROMISED
    return DocumentState.MISSING


def blockers(states: Mapping[str, DocumentState]) -> tuple[Blocker, ...]:
    """Give what keeps the present step from being completed."""
    return tuple(
        Blocker("document", kind)
        for kind, state in states.items()
        if state is DocumentState.MISSING
    )


def spans(moves: Sequence[tuple[str, str, datetime]], *, now: datetime, ended: bool) -> list[Span]:
    """Cut a case's past into the times it was worked on and the times it waited.

    Args:
        moves: (move, step after it, when), oldest first, the start among them.
        now: until when the last one runs.
        ended: whether the case has ended; then the last step has no length.
    """
    found: list[Span] = []
    waits, before = False, ""
    ends = [at for _, _, at in moves[1:]] + ([] if ended or not moves else [max(moves[-1][2], now)])
    for (move, step, start), end in zip(moves, ends, strict=False):
        waits = move == "pause" or (waits and step == before and move != "resume")
        _append(found, Span(step, start, end, waits))
        before = step
    return found


def _append(found: list[Span], span: Span) -> None:
    last = found[-1] if found else None
    if last is not None and (last.step, last.waits) == (span.step, span.waits):
        found[-1] = Span(last.step, last.start, span.end, last.waits)
    else:
        found.append(span)


def customer_needs(step: str, *, paused: str | None, missing: Collection[str]) -> tuple[str, ...]:
    """Say what is needed from the customer now, the papers apart.

    Args:
        step: where the case stands.
        paused: the reason it waits for, if it does.
        missing: documents of theirs that are not there.
    """
    needs = []
    if missing:
        needs.append("papers")
    if paused in {"customer_works", "customer_decision"} or (
        paused == "customer_documents" and not missing
    ):
        needs.append(str(paused))
    if not needs and step in {"plan_reply", "contract"} and paused is None:
        needs.append(step)
    return tuple(needs)
