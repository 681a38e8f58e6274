"""Each file of page tests has a portal of its own, on a copy of the town's database."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from argon2 import PasswordHasher

from foundation.db import connect, unit_of_work
from foundation.postgres import EmbeddedServer
from tests.factories.databases import BLANK, create, own_database
from tests.factories.webapp import Browser, Portal, Town, build_town
from webapp.auth import accounts

TOWN = "town"


@contextmanager
def cheap_passwords() -> Iterator[None]:
    """Hash passwords at a price that hundreds of sign-ins can pay."""
    dear = accounts._hasher, accounts._NOBODY
    accounts._hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    accounts._NOBODY = accounts._hasher.hash("nobody")
    yield
    accounts._hasher, accounts._NOBODY = dear


@pytest.fixture(scope="module", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Pay less for sign-ins, in these files alone."""
    with cheap_passwords():
        yield


@pytest.fixture(scope="session")
def town(server: EmbeddedServer) -> Town:
    """Build the town once; every file of tests works on a copy of it."""
    with own_database(server, BLANK) as addresses, cheap_passwords():
        engine = connect(addresses.office, pool=1)
        with unit_of_work(engine) as session:
            built = build_town(session)
        engine.dispose()
        create(server, TOWN, addresses.office.rsplit("/", 1)[1])
    return built


@pytest.fixture(scope="module")
def portal(server: EmbeddedServer, town: Town) -> Iterator[Portal]:
    """Open a portal on a copy of the town."""
    with own_database(server, TOWN) as addresses:
        opened = Portal(addresses, town)
        yield opened
        opened.close()


@pytest.fixture
def dispatcher(portal: Portal) -> Browser:
    """Sit a dispatcher at a browser."""
    return portal.browser("dispatcher")


@pytest.fixture
def nobody(portal: Portal) -> Browser:
    """Give a browser nobody has signed in with."""
    return portal.browser()
