"""The only list of rooms: their jobs, handlers, commands and demo parts."""

from collections.abc import Callable, Sequence

import click
from sqlalchemy.orm import Session

import callcenter.demo
import callcenter.handlers
import callcenter.jobs
import customers.demo
import customers.jobs
import loadmgmt.cli
import loadmgmt.demo
import loadmgmt.handlers
import loadmgmt.jobs
import metering.cli
import metering.demo
import metering.jobs
from foundation import housekeeping, outbox
from foundation.actor import Actor
from foundation.db import unit_of_work
from foundation.jobs import Job, Resident
from foundation.office import Office
from foundation.outbox import Handler
from webapp import jobs as portal_jobs
from webapp.auth import demo as staff_demo

HANDLERS: Sequence[Handler] = [*loadmgmt.handlers.HANDLERS, *callcenter.handlers.HANDLERS]
ROOM_JOBS: Sequence[Job] = [
    *housekeeping.JOBS,
    *metering.jobs.JOBS,
    *customers.jobs.JOBS,
    *loadmgmt.jobs.JOBS,
    *callcenter.jobs.JOBS,
    *portal_jobs.JOBS,
]
RESIDENTS: Sequence[Resident] = [*metering.jobs.RESIDENTS, *loadmgmt.jobs.RESIDENTS]
COMMANDS: Sequence[Callable[[click.Group], None]] = [
    metering.cli.add_commands,
    loadmgmt.cli.add_commands,
]
DEMO: Sequence[Callable[[Session, Actor], None]] = [
    staff_demo.build,
    metering.demo.build,
    customers.demo.build,
    callcenter.demo.build,
    loadmgmt.demo.build,
]


def connect() -> None:
    """Tell the outbox who listens; every process calls this once at its start."""
    outbox.subscribe(HANDLERS)


def jobs() -> list[Job]:
    """Give every job of every room, deliveries of events included."""
    return [*ROOM_JOBS, *(handler.job() for handler in HANDLERS)]


def build_demo(running: Office) -> None:
    """Run every room's part of the demo town, each in a transaction of its own."""
    connect()
    for build in DEMO:
        with unit_of_work(running.engine) as session:
            build(session, Actor.system("demo"))


def residents(process: str) -> list[Resident]:
    """Give the loops one kind of process runs."""
    return [one for one in RESIDENTS if one.process == process]
