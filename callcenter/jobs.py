"""What this room does by itself."""

from datetime import timedelta

from callcenter.calls.actions.seats import end_wrap_ups
from callcenter.messages.actions import DELIVER_JOB, deliver
from callcenter.tickets.actions.proving import prove_restored, tell_late
from callcenter.tickets.effects import PROVE_JOB
from foundation.jobs import Job

JOBS = [
    Job(
        PROVE_JOB,
        prove_restored,
        "finishes a ticket whose meter had recovered before the crew said so",
    ),
    Job(
        "callcenter.end_wrap_ups",
        end_wrap_ups,
        "makes agents ready whose wrap-up has lasted long enough",
        every=timedelta(seconds=10),
    ),
    Job(DELIVER_JOB, deliver, "hands a notice to the gateway"),
    Job(
        "callcenter.late_promises",
        tell_late,
        "marks each missed promise once",
        every=timedelta(seconds=30),
    ),
]
