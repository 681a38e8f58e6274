"""The simulator's panel, with and without a simulator."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from foundation.audit import entries
from foundation.postgres import EmbeddedServer
from foundation.settings import settings
from tests.factories.databases import own_database
from tests.factories.ports import free_ports
from tests.factories.webapp import Browser, Portal, Town
from tests.pages.conftest import TOWN


@pytest.fixture(scope="module")
def portal(server: EmbeddedServer, town: Town) -> Iterator[Portal]:
    """Open a portal whose simulator would listen on a port nobody uses."""
    (port,) = free_ports(1)
    with own_database(server, TOWN) as addresses:
        opened = Portal(addresses, town, replace(settings(), simulator_port=port))
        yield opened
        opened.close()


def orders(portal: Portal) -> list[object]:
    with portal.work() as session:
        return [row.facts for row in entries(session, act="simulator.")]


def test_without_a_simulator_the_page_says_so_and_offers_nothing(dispatcher: Browser) -> None:
    page = dispatcher.get("/admin/simulator")
    assert page.status == 200
    assert page.problems == []
    assert "未运行" in page.said or "没有" in page.said


def test_an_order_without_a_simulator_is_answered_with_a_sentence(
    portal: Portal, dispatcher: Browser
) -> None:
    page = dispatcher.post("/admin/simulator", order="sag", target="M-1", to="85", phases="a")
    assert page.status == 503
    assert page.answer.headers["Retry-After"]
    assert orders(portal) == []


@pytest.mark.parametrize("field", ["to", "duration_s"])
def test_a_figure_that_is_none_is_refused(portal: Portal, dispatcher: Browser, field: str) -> None:
    page = dispatcher.post("/admin/simulator", order="sag", target="M-1", **{field: "viel"})
    assert page.status == 422
    assert orders(portal) == []


class Answering(threading.Thread):
    """Something that takes one order after another and answers as told."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.answers: list[bytes] = []
        self.heard: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", port))

    def run(self) -> None:
        """Take orders until closed."""
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as lines:
                self.heard.append(lines.readline())
                lines.write(self.answers.pop(0) + b"\n")
                lines.flush()


@pytest.fixture
def simulator(portal: Portal) -> Iterator[Answering]:
    """Listen on the simulator's port."""
    answering = Answering(portal.office.settings.simulator_port)
    answering.start()
    yield answering
    answering.listener.shutdown(socket.SHUT_RDWR)
    answering.listener.close()
    answering.join(timeout=5)


def test_an_order_that_is_taken_is_audited_and_leads_back_to_the_panel(
    portal: Portal, dispatcher: Browser, simulator: Answering
) -> None:
    simulator.answers = [b'{"ok": true}']
    page = dispatcher.post(
        "/admin/simulator", order="sag", target=" M-1 ", to="85", duration_s="2", phases=["a", "b"]
    )
    assert page.location == "/admin/simulator?order=sag&target=M-1"
    heard = simulator.heard[0].decode()
    assert '"to": 0.85' in heard
    assert '"duration_s": 120.0' in heard
    assert '"phases": "ab"' in heard
    assert orders(portal)[0] == {
        "order": "sag",
        "facts": {"target": "M-1", "phases": "ab", "to": 0.85, "duration_s": 120.0},
    }


def test_an_order_that_is_refused_says_why_and_is_not_audited(
    portal: Portal, dispatcher: Browser, simulator: Answering
) -> None:
    before = len(orders(portal))
    simulator.answers = [b'{"ok": false, "error": "unknown_target"}']
    page = dispatcher.post("/admin/simulator", order="outage", target="M-0", dark="1")
    assert page.status == 422
    assert b'"dark": true' in simulator.heard[0]
    assert len(orders(portal)) == before


def test_faults_that_hold_are_listed(dispatcher: Browser, simulator: Answering) -> None:
    simulator.answers = [
        b'{"ok": true, "meters": 3, "terminals": 3, "faults": 1, "requests": 9}',
        b'{"ok": true, "faults": []}',
    ]
    page = dispatcher.get("/admin/simulator")
    assert page.status == 200
    assert len(simulator.heard) == 2


def test_the_secret_of_the_simulator_is_kept_with_the_offices_own(portal: Portal) -> None:
    kept = Path(portal.office.settings.data_dir) / "secrets.env"
    assert "GRIDHALL_SIMULATOR_TOKEN" in kept.read_text(encoding="utf-8")
