"""The office of a new connection, for each test."""

import pytest
from sqlalchemy.orm import Session

from tests.factories.applications import Connections


@pytest.fixture
def office(session: Session) -> Connections:
    """Make counter, station and store."""
    return Connections(session)
