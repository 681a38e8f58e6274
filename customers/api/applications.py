"""Applications: taking them in, who has what to do, completing steps, progress."""

from customers.applications.actions.intake import issue_code, submit
from customers.applications.actions.rehearsal import rehearse
from customers.applications.actions.steps import (
    claim_step,
    complete_step,
    give_back_step,
    pause_case,
    resume_case,
    settle_conflict,
)
from customers.applications.queries.cases import (
    application_card,
    application_cards,
    inbox,
    inbox_count,
    late_steps,
    open_cases,
    open_duplicates,
)
from customers.applications.queries.progress import code_fits, progress, promised_days

__all__ = [
    "application_card",
    "application_cards",
    "claim_step",
    "code_fits",
    "complete_step",
    "give_back_step",
    "inbox",
    "inbox_count",
    "issue_code",
    "late_steps",
    "open_cases",
    "open_duplicates",
    "pause_case",
    "progress",
    "promised_days",
    "rehearse",
    "resume_case",
    "settle_conflict",
    "submit",
]
