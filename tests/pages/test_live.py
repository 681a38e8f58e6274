"""Live signals: a hello, then one after each committed change; no more streams than there are."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import text

from foundation.events import Signal
from foundation.outbox import signal
from foundation.postgres import EmbeddedServer
from foundation.settings import settings
from tests.factories.databases import given_up, own_database
from tests.factories.webapp import Portal, Town
from tests.pages.conftest import TOWN
from webapp import live

STREAMS = 3


@pytest.fixture(scope="module")
def portal(server: EmbeddedServer, town: Town) -> Iterator[Portal]:
    """Open a portal with few streams, whose heart beats fast."""
    with own_database(server, TOWN) as addresses:
        opened = Portal(addresses, town, replace(settings(), streams=STREAMS))
        yield opened
        opened.close()


Event = tuple[str, dict[str, object]]


def as_event(said: bytes) -> Event:
    fields = dict(line.split(": ", 1) for line in said.decode().strip().splitlines())
    return fields["event"], json.loads(fields["data"])


class Stream:
    """An open stream and what came through it."""

    def __init__(self, portal: Portal, topics: str) -> None:
        self.answer = portal.browser("dispatcher").stream(f"/events?topics=ready,{topics}")
        self._lines = self.answer.iter_encoded()

    def next(self) -> Event:
        """Wait for the next event."""
        return as_event(next(self._lines))

    def rest(self) -> list[Event]:
        """Read on to the end."""
        return [as_event(line) for line in self._lines]

    def until(self, wanted: Callable[[Event], bool]) -> list[Event]:
        """Read events up to the one that is waited for."""
        seen: list[Event] = []
        deadline = time.monotonic() + 10
        while not seen or not wanted(seen[-1]):
            assert time.monotonic() < deadline, seen
            seen.append(self.next())
        return seen

    def signals_until(self, topic: str) -> list[dict[str, object]]:
        """Read signals up to the first of a topic."""
        seen = self.until(lambda one: one[0] == "signal" and one[1]["topic"] == topic)
        return [said for name, said in seen if name == "signal" and said["topic"] != "ready"]

    def close(self) -> None:
        """Hang up."""
        self.answer.close()


@pytest.fixture
def open_stream(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Stream]]:
    """Open streams that beat ten times a second and are hung up afterwards."""
    monkeypatch.setattr(live, "BEAT_S", 0.1)
    opened: list[Stream] = []

    def open_one(topics: str) -> Stream:
        stream = Stream(portal, topics)
        opened.append(stream)
        return stream

    yield open_one
    for stream in opened:
        stream.close()


@pytest.fixture
def listening(portal: Portal, open_stream: Callable[[str], Stream]) -> Callable[[str], Stream]:
    """Open streams through which signals are known to come."""

    def open_one(topics: str) -> Stream:
        stream = open_stream(topics)
        assert stream.next()[0] == "hello"
        while stream.next()[0] != "signal":
            tell(portal, Signal("ready"))
        return stream

    return open_one


def tell(portal: Portal, *signals: Signal) -> None:
    with portal.work() as session:
        signal(session, *signals)


def test_a_stream_says_hello_and_then_what_has_changed(
    portal: Portal, listening: Callable[[str], Stream]
) -> None:
    stream = listening("alerts,tickets")
    assert stream.answer.status_code == 200
    assert stream.answer.headers["Content-Type"].startswith("text/event-stream")
    assert stream.answer.headers["Cache-Control"] == "no-store"
    alert = portal.alert()
    portal.browser("dispatcher").post(f"/alerts/{alert.id}/acknowledge", version=alert.version)
    seen = stream.until(
        lambda one: one == ("signal", {"topic": "alerts", "id": str(alert.id), "version": 2})
    )
    assert {name for name, _ in seen} <= {"hello", "beat", "signal"}


def test_what_is_rolled_back_is_not_told(
    portal: Portal, listening: Callable[[str], Stream]
) -> None:
    stream = listening("gone,kept")
    with given_up(portal.office.engine) as session:
        signal(session, Signal("gone"))
    tell(portal, Signal("kept"))
    assert [one["topic"] for one in stream.signals_until("kept")] == ["kept"]


def test_a_stream_hears_its_own_topics_and_single_records_alone(
    portal: Portal, listening: Callable[[str], Stream]
) -> None:
    stream = listening("meter:7,tickets")
    tell(
        portal, Signal("alerts", "1"), Signal("meter", "8"), Signal("meter", "7"), Signal("tickets")
    )
    heard = [(one["topic"], one["id"]) for one in stream.signals_until("tickets")]
    assert heard == [("meter", "7"), ("tickets", "")]


def test_a_quiet_stream_beats(listening: Callable[[str], Stream]) -> None:
    stream = listening("nothing")
    assert stream.until(lambda one: one[0] == "beat")


def test_beyond_its_streams_a_process_asks_pages_to_poll(
    portal: Portal, open_stream: Callable[[str], Stream]
) -> None:
    streams = [open_stream("alerts") for _ in range(STREAMS)]
    one_more = open_stream("alerts")
    assert one_more.answer.status_code == 503
    assert one_more.answer.headers["Retry-After"] == "10"
    for stream in streams:
        stream.close()
    streams = [open_stream("alerts") for _ in range(STREAMS)]
    assert [one.answer.status_code for one in streams] == [200] * STREAMS
    assert portal.browser("dispatcher").get("/alerts").status == 200


def test_asking_for_headers_alone_takes_no_stream_away(
    portal: Portal, open_stream: Callable[[str], Stream]
) -> None:
    for _ in range(STREAMS):
        assert portal.browser("dispatcher").head("/events").status == 200
    assert open_stream("alerts").answer.status_code == 200


def test_a_stream_ends_in_time_so_that_an_ended_sign_in_does_not_listen_for_ever(
    open_stream: Callable[[str], Stream], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LIFE_S", 0.05)
    assert "hello" in dict(open_stream("alerts").rest())


def test_a_page_that_does_not_read_is_hung_up_on(
    portal: Portal, listening: Callable[[str], Stream]
) -> None:
    stream = listening("flood")
    tell(portal, *(Signal("flood", str(n)) for n in range(live.BACKLOG + 50)))
    time.sleep(0.3)
    heard = [name for name, _ in stream.rest()]
    assert heard.count("signal") < live.BACKLOG


def test_a_listener_that_lost_its_connection_says_hello_again(
    portal: Portal, listening: Callable[[str], Stream]
) -> None:
    stream = listening("again")
    with portal.work() as session:
        session.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                 " WHERE application_name = 'gridhall-live' AND datname = current_database()")
        )  # fmt: skip
    stream.until(lambda one: one[0] == "hello")
    tell(portal, Signal("again"))
    assert stream.signals_until("again")


def test_nobody_listens_without_a_sign_in_or_a_desk(portal: Portal) -> None:
    assert portal.browser().get("/events?topics=alerts").location.startswith("/login")
    assert portal.browser("wall").get("/events?topics=alerts").status == 403
