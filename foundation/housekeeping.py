"""What the floor does by itself: seals the audit, forgets old runs."""

from datetime import time, timedelta

from sqlalchemy.orm import Session

from foundation.actor import Actor
from foundation.audit import seal
from foundation.jobs import Job, forget_old


def seal_audit(session: Session, actor: Actor) -> None:
    """Seal the audit entries that have settled."""
    seal(session)


def forget_old_runs(session: Session, actor: Actor) -> None:
    """Drop old job runs, ticks and finished queue rows."""
    forget_old(session)


JOBS = [
    Job(
        "foundation.seal_audit",
        seal_audit,
        "chains new audit entries into a seal",
        every=timedelta(minutes=5),
    ),
    Job("foundation.forget_old", forget_old_runs, "drops old job runs", at=time(3, 10)),
]
