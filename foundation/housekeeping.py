"""What the floor does by itself: seals the audit, forgets old runs, clears away orphans."""

from datetime import time, timedelta

from sqlalchemy.orm import Session

from foundation.actor import Actor
from foundation.attachments import clear_orphans
from foundation.audit import seal
from foundation.jobs import Job, forget_old


def seal_audit(session: Session, actor: Actor) -> None:
    """Seal the audit entries that have settled."""
    seal(session)


def forget_old_runs(session: Session, actor: Actor) -> None:
    """Drop old job runs, ticks and finished queue rows."""
    forget_old(session)


def clear_orphaned_files(session: Session, actor: Actor) -> None:
    """Remove uploaded files whose row was never committed."""
    clear_orphans(session)


JOBS = [
    Job(
        "foundation.seal_audit",
        seal_audit,
        "chains new audit entries into a seal",
        every=timedelta(minutes=5),
    ),
    Job(
        "foundation.clear_orphans",
        clear_orphaned_files,
        "removes uploaded files that no record names",
        at=time(3, 20),
    ),
    Job("foundation.forget_old", forget_old_runs, "drops old job runs", at=time(3, 10)),
]
