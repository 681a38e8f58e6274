"""What the portal does by itself: forgets drafts nobody came back to."""

from datetime import time

from foundation.jobs import Job
from webapp import drafts

JOBS = [
    Job(
        "webapp.forget_drafts",
        drafts.forget_old,
        "drops drafts nobody has touched for thirty days",
        at=time(3, 30),
    ),
]
