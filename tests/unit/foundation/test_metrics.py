"""Metrics and health of processes that serve no pages."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import ThreadingHTTPServer

import pytest

from foundation import metrics
from tests.factories.ports import free_ports

facts: dict[str, object] = {}


@pytest.fixture
def address() -> Iterator[str]:
    """Serve on a free port."""
    facts.clear()
    (port,) = free_ports(1)
    server = metrics.serve(port, lambda: facts)
    assert isinstance(server, ThreadingHTTPServer)
    yield f"http://127.0.0.1:{port}"
    server.shutdown()
    server.server_close()


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_process_says_that_it_lives_and_whether_it_is_ready(address: str) -> None:
    assert get(f"{address}/healthz") == (200, '{"alive": true}')
    facts.update(leader=True)
    assert get(f"{address}/readyz") == (200, '{"leader": true}')
    facts.update(ready=False)
    status, said = get(f"{address}/readyz")
    assert (status, json.loads(said)) == (503, {"leader": True, "ready": False})


def test_its_figures_can_be_scraped(address: str) -> None:
    status, said = get(f"{address}/metrics")
    assert status == 200
    assert "gridhall_clock_leader" in said


def test_there_is_nothing_else(address: str) -> None:
    assert get(f"{address}/admin")[0] == 404


def test_port_nought_serves_nothing() -> None:
    assert metrics.serve(0, dict) is None
