"""Health and metrics, for those who watch the process; no sign-in, no secrets."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import text

from foundation.db import connect
from foundation.postgres import EmbeddedServer
from tests.factories.databases import own_database
from tests.factories.webapp import Browser, Portal, Town
from tests.pages.conftest import TOWN


def test_a_process_lives_and_is_ready(nobody: Browser) -> None:
    assert nobody.get("/healthz").answer.json == {"alive": True}
    page = nobody.get("/readyz")
    assert (page.status, page.answer.json) == (200, {"ready": True})


def test_its_figures_count_requests_by_endpoint_and_never_by_address(nobody: Browser) -> None:
    nobody.get("/meters/M-secret-0001")
    page = nobody.get("/metrics")
    assert page.status == 200
    assert page.answer.headers["Content-Type"].startswith("text/plain")
    assert 'gridhall_requests_total{endpoint="meters.detail",status="302"}' in page.html
    assert "M-secret" not in page.html


@pytest.fixture
def behind(server: EmbeddedServer, town: Town) -> Iterator[Portal]:
    """Open a portal whose schema is one migration behind."""
    with own_database(server, TOWN) as addresses:
        owner = connect(addresses.owner, pool=1)
        with owner.begin() as connection:
            connection.execute(text("UPDATE webapp.alembic_version SET version_num = '0000'"))
        owner.dispose()
        opened = Portal(addresses, town)
        yield opened
        opened.close()


def test_a_process_whose_schema_is_behind_is_not_ready(behind: Portal) -> None:
    page = behind.browser().get("/readyz")
    assert (page.status, page.answer.json) == (503, {"ready": False})
    assert behind.browser().get("/healthz").status == 200


def test_a_process_without_its_database_lives_and_is_not_ready(portal: Portal, town: Town) -> None:
    away = "postgresql://nobody:x@127.0.0.1:1/none"
    gone = Portal(replace(portal.addresses, office=away), town)
    browser = gone.browser()
    assert browser.get("/healthz").status == 200
    assert browser.get("/metrics").status == 200
    browser.hold("whatever")
    for path in ("/readyz", "/home", "/login"):
        page = browser.get(path)
        assert page.status == 503, path
        assert page.answer.headers["Retry-After"] == "5"
        assert page.problems == []
    gone.close()
