"""A database of the module's own, for what commits."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from foundation.db import connect
from foundation.postgres import EmbeddedServer
from tests.factories.databases import own_database
from webapp import database


@pytest.fixture(scope="module")
def own(server: EmbeddedServer) -> Iterator[database.Addresses]:
    """Give the addresses of a database of the module's own."""
    with own_database(server) as addresses:
        yield addresses


@pytest.fixture(scope="module")
def own_engine(own: database.Addresses) -> Iterator[Engine]:
    """Give an engine of the office account on it."""
    engine = connect(own.office)
    yield engine
    engine.dispose()
