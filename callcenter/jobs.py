"""What this room does by itself."""

from datetime import timedelta

from callcenter.tickets.actions import prove_restored, tell_late
from callcenter.tickets.effects import PROVE_JOB
from foundation.jobs import Job

JOBS = [
    Job(
        PROVE_JOB,
        prove_restored,
        "finishes a ticket whose meter had recovered before the crew said so",
    ),
    Job(
        "callcenter.late_promises",
        tell_late,
        "marks each missed promise once",
        every=timedelta(seconds=30),
    ),
]
