"""What this room does by itself."""

from datetime import timedelta

from foundation.jobs import Job, Resident
from loadmgmt.alerts.actions import wake_suppressed
from loadmgmt.alerts.scanner import scan
from loadmgmt.outages.actions.following import follow_outages

JOBS = [
    Job(
        "loadmgmt.wake_suppressed",
        wake_suppressed,
        "brings back suppressed alerts whose time is over",
        every=timedelta(minutes=1),
    ),
    Job(
        "loadmgmt.follow_outages",
        follow_outages,
        "reads the meters of open outages, ends planned windows that are over",
        every=timedelta(seconds=20),
    ),
]
RESIDENTS = [
    Resident("loadmgmt.scanner", scan, "worker", "judges readings as they are stored"),
]
