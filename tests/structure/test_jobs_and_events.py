"""Jobs and events: each listed once, with a reason, reachable, and proved by a test."""

import ast
import dataclasses
import importlib
import inspect

import pytest

from foundation import housekeeping
from foundation.events import Event
from foundation.jobs import Job
from tests.structure.source import files, in_rooms, modules, names_called, text, tree
from webapp import wiring

CLOSED_LIST = {
    "metering": {"TerminalsSilent", "TerminalsBack", "WritesVerified"},
    "customers": {
        "ApplicationAdvanced", "ArchiveChanged", "BillsIssued", "NoticesDue", "ArrearsCleared",
    },
    "loadmgmt": {
        "AlertsRaised", "AlertsCleared", "OutageChanged", "ForecastPublished",
        "CurtailmentOrdered",
    },
    "callcenter": {"TicketOpened", "TicketRestored", "TicketClosed", "CallbackDue"},
}  # fmt: skip
"""Every event there will ever be; those that exist today are a part of it."""
BATCH = "tuple[dict[str, Any], ...]"


def events() -> list[type[Event]]:
    list(modules())
    return [one for one in Event.__subclasses__() if one.__module__.split(".")[0] != "tests"]


def test_every_event_is_one_of_the_closed_list_and_named_as_its_class() -> None:
    for one in events():
        assert one.__name__ in CLOSED_LIST[one.__module__.split(".")[0]]
        assert one.name == one.__name__


def test_an_event_carries_plain_values_in_a_batch() -> None:
    for one in events():
        kinds = [str(field.type).replace("typing.", "") for field in dataclasses.fields(one)]
        assert kinds == [BATCH], one


def published() -> set[str]:
    return {
        name
        for path in in_rooms()
        for called, call in names_called(tree(path))
        if called == "publish"
        for part in call.args
        for name, _ in names_called(part)
    }


def test_every_event_is_published_somewhere() -> None:
    assert {one.__name__ for one in events()} <= published()


def test_every_handler_listens_to_an_event_there_is_and_says_why() -> None:
    names = [handler.job_name for handler in wiring.HANDLERS]
    assert len(set(names)) == len(names)
    for handler in wiring.HANDLERS:
        assert handler.event in events()
        assert handler.why
        assert inspect.isfunction(handler.function)
        arguments = list(inspect.signature(handler.function).parameters)
        assert arguments == ["session", "actor", "payload"]


def test_a_room_listens_to_itself_or_to_rooms_below_it() -> None:
    order = ["metering", "customers", "loadmgmt", "callcenter"]
    for handler in wiring.HANDLERS:
        speaker = handler.event.__module__.split(".")[0]
        listener = handler.function.__module__.split(".")[0]
        assert order.index(speaker) <= order.index(listener)


def listed_in_rooms() -> list[Job]:
    found = list(housekeeping.JOBS)
    for path in in_rooms():
        if path.name == "jobs.py" and path.parts[0] != "foundation" and len(path.parts) == 2:
            found += importlib.import_module(f"{path.parts[0]}.jobs").JOBS
    return found


def test_every_room_s_jobs_are_wired() -> None:
    assert sorted(job.name for job in wiring.ROOM_JOBS) == sorted(
        job.name for job in listed_in_rooms()
    )


def test_every_job_is_listed_once_and_says_why() -> None:
    names = [job.name for job in wiring.jobs()]
    assert len(set(names)) == len(names)
    assert all(job.why for job in wiring.jobs())
    rooms = {job.name.split(".")[0] for job in wiring.ROOM_JOBS}
    assert rooms <= {"foundation", "metering", "customers", "loadmgmt", "callcenter", "webapp"}


def deferred() -> set[str]:
    """Name the jobs some code asks for, constants resolved."""
    found = set()
    for one in modules():
        for name, call in names_called(ast.parse(inspect.getsource(one))):
            if name == "defer" and len(call.args) > 1 and isinstance(call.args[1], ast.Name):
                found.add(getattr(one, call.args[1].id, None))
    return {name for name in found if isinstance(name, str)}


def test_every_job_has_a_cadence_or_is_asked_for_somewhere() -> None:
    for job in wiring.ROOM_JOBS:
        assert (job.every is None) or (job.at is None)
        assert job.every or job.at or job.name in deferred(), job.name


def test_every_job_that_is_asked_for_exists() -> None:
    assert deferred() <= {job.name for job in wiring.jobs()}


@pytest.mark.parametrize(
    "function",
    [
        *(job.function for job in wiring.ROOM_JOBS),
        *(handler.function for handler in wiring.HANDLERS),
    ],
    ids=lambda function: f"{function.__module__}.{function.__name__}",
)
def test_every_job_and_every_handler_has_a_test_that_runs_it(function: object) -> None:
    name = function.__name__  # type: ignore[attr-defined]
    tests = [text(one) for one in files() if one.parts[0] == "tests"]
    assert any(f"{name}(" in said for said in tests), name


def test_every_loop_that_never_ends_runs_in_a_process_there_is() -> None:
    known = {one.name for process in ("worker", "poller") for one in wiring.residents(process)}
    assert known == {one.name for one in wiring.RESIDENTS}
    assert all(one.why for one in wiring.RESIDENTS)
