"""Alembic's environment: one line of history for all rooms.

Importing the rooms' doors loads every table, without reaching through a wall.
"""

from typing import Any

import sqlalchemy as sa
from alembic import context
from sqlalchemy.dialects.postgresql import JSONB

import callcenter.api.callbacks
import callcenter.api.calls
import callcenter.api.crews
import callcenter.api.messages
import callcenter.api.tickets
import customers.api.applications
import customers.api.archive
import foundation.attachments
import foundation.audit
import foundation.flow.models
import foundation.jobs
import foundation.numbering
import foundation.outbox
import foundation.overrides
import foundation.staff.models
import loadmgmt.api.alerts
import loadmgmt.api.forecast
import loadmgmt.api.outages
import loadmgmt.api.weather
import metering.api.devices
import metering.api.gaps
import metering.api.polling
import metering.api.readings
import metering.api.requests
import metering.api.simulation
import webapp.auth.models
import webapp.drafts
import webapp.lockout
from foundation.db import Base, Sealed, UtcTime

LOADED = (
    callcenter.api.callbacks,
    callcenter.api.calls,
    callcenter.api.crews,
    callcenter.api.messages,
    callcenter.api.tickets,
    customers.api.applications,
    customers.api.archive,
    foundation.attachments,
    foundation.audit,
    foundation.flow.models,
    foundation.jobs,
    foundation.numbering,
    foundation.outbox,
    foundation.overrides,
    foundation.staff.models,
    loadmgmt.api.alerts,
    loadmgmt.api.outages,
    loadmgmt.api.forecast,
    loadmgmt.api.weather,
    metering.api.devices,
    metering.api.gaps,
    metering.api.polling,
    metering.api.readings,
    metering.api.requests,
    metering.api.simulation,
    webapp.auth.models,
    webapp.drafts,
    webapp.lockout,
)


def is_ours(thing: Any, name: str | None, kind: str, *_: Any) -> bool:
    """Leave out the queue's tables and the partitions of readings and hours."""
    if kind == "table":
        return thing.schema not in {"jobs", None} and not str(name).startswith(
            ("reading_2", "hourly_2")
        )
    return True


def same_type(_: Any, __: Any, ___: Any, found: Any, meant: Any) -> bool | None:
    """Whether a column's type differs; our own types are compared by what they store."""
    stored = {UtcTime: sa.DateTime, Sealed: sa.LargeBinary, sa.Enum: sa.String}
    for ours, plain_type in stored.items():
        if isinstance(meant, ours):
            return not isinstance(found, plain_type)
    return None


def plain(kind: str, thing: Any, autogen: Any) -> Any:
    """Write our column types as plain ones: migrations must not change with our code."""
    if kind != "type":
        return False
    if isinstance(thing, UtcTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(thing, Sealed):
        return "sa.LargeBinary()"
    if isinstance(thing, sa.Enum):
        return f"sa.String({thing.length})"
    if isinstance(thing, JSONB):
        autogen.imports.add("from sqlalchemy.dialects.postgresql import JSONB")
        return "JSONB()"
    return False


def run() -> None:
    """Run migrations on the connection handed in, schemas made first."""
    connection = context.config.attributes["connection"]
    connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS webapp")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_schemas=True,
        include_object=is_ours,
        version_table_schema="webapp",
        compare_type=same_type,
        render_item=plain,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
