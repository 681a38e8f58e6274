"""One embedded PostgreSQL for the whole run; each test in a transaction that is rolled back."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

_HOME = Path(tempfile.mkdtemp(prefix="gridhall-test-"))
_HOME.chmod(0o755)
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
os.environ["GRIDHALL_DATA_DIR"] = str(_HOME)
os.environ.pop("DATABASE_URL", None)

from foundation.actor import Actor, Role  # noqa: E402 - settings are read from what is set above
from foundation.db import connect  # noqa: E402
from foundation.office import Office  # noqa: E402
from foundation.postgres import EmbeddedServer  # noqa: E402
from foundation.settings import settings  # noqa: E402
from webapp import database, wiring  # noqa: E402

hypothesis.settings.register_profile("office", deadline=None)  # other work may hold the core
hypothesis.settings.load_profile("office")

QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the journeys last: their office and their browser stay until the end of the run.

    A browser leaves a running event loop in this thread, in which no page under test could
    run its own; and an office would take the processor from whatever came after it.
    """
    items.sort(key=lambda item: "journeys" in item.path.parts)


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """Run the embedded server, its schema current."""
    running = EmbeddedServer(settings().data_dir, options=QUICK)
    running.start()
    try:
        database.prepare_embedded(settings())
        database.upgrade(settings())
        wiring.connect()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def addresses(server: EmbeddedServer) -> database.Addresses:  # noqa: ARG001 - it must run
    """Give the three accounts' addresses."""
    return database.addresses(settings())


@pytest.fixture(scope="session")
def engine(addresses: database.Addresses) -> Iterator[Engine]:
    """Give an engine of the office account."""
    made = connect(addresses.office, pool=5)
    yield made
    made.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """Give a transaction that is rolled back, whatever the code inside commits."""
    with engine.connect() as connection:
        outer = connection.begin()
        inside = Session(
            connection, join_transaction_mode="create_savepoint", expire_on_commit=False
        )
        try:
            yield inside
        finally:
            inside.close()
            outer.rollback()


@pytest.fixture
def office(addresses: database.Addresses) -> Iterator[Office]:
    """Give an office on the test database, for processes and pages that commit."""
    running = Office(settings(), addresses.office, "test")
    yield running
    running.close()


@pytest.fixture
def dispatcher(session: Session) -> Actor:
    """Give a dispatcher who exists."""
    from tests.factories.foundation import person

    return person(session, Role.DISPATCHER)
