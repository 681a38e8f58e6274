"""What this room does by itself."""

from datetime import timedelta

from customers.applications.actions.steps import note_first_readings, tell_late
from foundation.jobs import Job

JOBS = [
    Job(
        "customers.first_readings",
        note_first_readings,
        "archives a case once its new meter has been read well",
        every=timedelta(seconds=15),
    ),
    Job(
        "customers.late_steps",
        tell_late,
        "marks each step and promise that has run over, once",
        every=timedelta(seconds=60),
    ),
]
