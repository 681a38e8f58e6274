"""What this room does by itself."""

from datetime import timedelta

from foundation.jobs import Job, Resident
from loadmgmt.alerts.actions import wake_suppressed
from loadmgmt.alerts.scanner import scan

JOBS = [
    Job(
        "loadmgmt.wake_suppressed",
        wake_suppressed,
        "brings back suppressed alerts whose time is over",
        every=timedelta(minutes=1),
    ),
]
RESIDENTS = [
    Resident("loadmgmt.scanner", scan, "worker", "judges readings as they are stored"),
]
