"""What the portal does by itself: forgets drafts and failures that count no more."""

from datetime import time, timedelta

from foundation.jobs import Job
from webapp import drafts, lockout

JOBS = [
    Job(
        "webapp.forget_drafts",
        drafts.forget_old,
        "drops drafts nobody has touched for thirty days",
        at=time(3, 30),
    ),
    Job(
        "webapp.forget_failures",
        lockout.forget_old,
        "drops failures on public pages that count no more",
        every=timedelta(hours=1),
    ),
]
