"""Terminals behind TLS and on serial lines."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column(
        "terminal",
        sa.Column(
            "line",
            sa.String(),
            server_default="",
            nullable=False,
            comment="how a serial line is set, 9600-8E1",
        ),
        schema="metering",
    )
    op.alter_column(
        "terminal",
        "host",
        existing_type=sa.VARCHAR(),
        comment="name or address; device file of a serial line",
        existing_nullable=False,
        schema="metering",
    )
    op.alter_column(
        "terminal",
        "port",
        existing_type=sa.INTEGER(),
        comment="TCP port; 0 on a serial line",
        existing_nullable=False,
        schema="metering",
    )
    op.create_check_constraint(
        op.f("ck_terminal_line_of_serial"),
        "terminal",
        "(framing = 'serial') = (line <> '')",
        schema="metering",
    )
    op.create_check_constraint(
        op.f("ck_terminal_device_of_serial"),
        "terminal",
        "(framing = 'serial') = (host LIKE '/dev/%')",
        schema="metering",
    )
