"""The simulator's panel, with and without a simulator."""

import json
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


ANSWERS = {
    "status": b'{"ok": true, "meters": 3}',
    "list": (
        b'{"ok": true, "faults": [{"order_no": 1, "kind": "sag", "target": "M-1", "to": 0.85,'
        b' "phases": "a", "since": 1789000000, "until": 1789000600, "meters": ["M-1"]},'
        b' {"order_no": 2, "kind": "silence", "target": "TG-1", "since": 1789000000,'
        b' "until": null, "meters": ["M-2", "M-3"]}]}'
    ),
}


class Answering(threading.Thread):
    """Something that takes every order, or refuses every fault in the same way."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.refuses: bytes | None = None
        self.heard: list[dict[str, object]] = []
        self.listener = socket.create_server(("127.0.0.1", port))

    def run(self) -> None:
        """Take orders until closed."""
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as lines:
                said = json.loads(lines.readline())
                self.heard.append(said)
                refused = said["order"] not in ANSWERS and self.refuses
                lines.write((refused or ANSWERS.get(said["order"], b'{"ok": true}')) + b"\n")
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
    page = dispatcher.post(
        "/admin/simulator", order="sag", target=" M-1 ", to="85", duration_s="2", phases=["a", "b"],
        seconds="3", code="x",
    )  # fmt: skip
    assert page.location == "/admin/simulator?order=sag&target=M-1"
    facts = {"target": "M-1", "phases": "ab", "to": 0.85, "duration_s": 120.0}
    assert facts.items() <= simulator.heard[0].items()
    assert not {"seconds", "code"} & set(simulator.heard[0])
    assert orders(portal)[0] == {"order": "sag", "facts": facts}


@pytest.mark.parametrize("order", ["trickle", "clock_drift", "exception", "outage", "clear"])
def test_an_order_takes_what_it_can_use(
    dispatcher: Browser, simulator: Answering, order: str
) -> None:
    typed = {"seconds": "3", "ppm": "40", "code": "6", "dark": "1", "to": "85"}
    assert dispatcher.post("/admin/simulator", order=order, target="M-1", **typed).status == 302
    taken = set(simulator.heard[0]) - {"order", "target", "token"}
    assert (
        taken
        == {
            "trickle": {"seconds"},
            "clock_drift": {"seconds", "ppm"},
            "exception": {"code"},
            "outage": {"dark"},
            "clear": set(),
        }[order]
    )


@pytest.mark.parametrize(
    ("field", "why", "said"),
    [
        ("target", b'{"ok": false, "error": "no_such_target"}', "没有这样的对象"),
        ("phases", b'{"ok": false, "error": "no_such_phase"}', "没有这一相"),
        ("to", b'{"ok": false, "error": "bad_value", "facts": {"field": "to"}}', "不超过 150"),
    ],
)
def test_an_order_that_is_refused_says_where_and_why_keeps_what_was_typed_and_is_not_audited(
    portal: Portal, dispatcher: Browser, simulator: Answering, field: str, why: bytes, said: str
) -> None:
    before = len(orders(portal))
    simulator.refuses = why
    typed = {"to": "170", "duration_s": "7", "phases": ["b"], "target": "M-0"}
    page = dispatcher.post("/admin/simulator", order="sag", **typed)
    assert page.status == 422
    assert page.problems == []
    (link,) = page.tree.one("div", data_error_summary=True).all("a")
    assert link.attrs["href"] == f"#f-{field}"
    assert said in link.text
    form = page.tree.one("form", action="/admin/simulator", class_="card")
    for name in ("to", "duration_s", "target"):
        assert form.one("input", name=name).attrs["value"] == typed[name]
    assert [one.attrs["value"] for one in form.all("input", name="phases", checked=True)] == ["b"]
    assert len(orders(portal)) == before


@pytest.mark.parametrize("field", ["to", "duration_s"])
def test_a_figure_that_is_none_is_refused_before_anybody_hears_of_it(
    dispatcher: Browser, simulator: Answering, field: str
) -> None:
    page = dispatcher.post("/admin/simulator", order="sag", target="M-1", **{field: "viel"})
    assert page.status == 422
    assert page.tree.one("input", name=field).attrs["value"] == "viel"
    assert {one["order"] for one in simulator.heard} == {"status", "list"}


@pytest.mark.usefixtures("simulator")
def test_faults_that_hold_are_listed_with_how_and_how_long(dispatcher: Browser) -> None:
    page = dispatcher.get("/admin/simulator")
    assert page.status == 200
    assert "3 台终端" in page.said
    sag, silence = page.row_texts()
    assert "A · 85 %" in sag
    assert "直到清除" in silence
    assert "2" in silence


def test_the_secret_of_the_simulator_is_kept_with_the_offices_own(portal: Portal) -> None:
    kept = Path(portal.office.settings.data_dir) / "secrets.env"
    assert "GRIDHALL_SIMULATOR_TOKEN" in kept.read_text(encoding="utf-8")
