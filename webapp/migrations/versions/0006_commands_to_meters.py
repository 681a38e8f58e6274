"""Commands to meters, the mark of points that are never cut, framing of connections."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"


PUSH_MARKS = """
UPDATE metering.point p SET
    never_cut = CASE WHEN a.important_grade IS NOT NULL THEN 'important' ELSE 'life_support' END,
    never_cut_until = CASE WHEN a.important_grade IS NULL THEN a.life_support_until END
FROM customers.account a
WHERE a.point_id = p.id
  AND (a.important_grade IS NOT NULL OR a.life_support_until IS NOT NULL)
"""


def upgrade() -> None:
    op.create_table(
        "write_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("command_no", sa.String(), nullable=False, comment="ZL-260618-0004"),
        sa.Column("meter_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(), nullable=False, comment="a word of switching.toml"),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("ticket_no", sa.String(), nullable=False),
        sa.Column("asked_by_id", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "expires_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="void if nobody reviewed it by then",
        ),
        sa.Column("reviewed_by_id", sa.BigInteger(), nullable=True),
        sa.Column("reviewed_by", sa.String(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opinion", sa.String(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "send_before",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="never sent after this",
        ),
        sa.Column("ended_as", sa.String(40), nullable=True, comment="final state, once booked"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "approved_at IS NULL OR reviewed_by_id IS NOT NULL",
            name=op.f("ck_write_request_approved_by_somebody"),
        ),
        sa.CheckConstraint(
            "reviewed_by_id IS NULL OR reviewed_by_id <> asked_by_id",
            name=op.f("ck_write_request_two_persons"),
        ),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["foundation.person.id"], name=op.f("fk_write_request_asked_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["meter_id"], ["metering.meter.id"], name=op.f("fk_write_request_meter_id")
        ),
        sa.ForeignKeyConstraint(
            ["reviewed_by_id"],
            ["foundation.person.id"],
            name=op.f("fk_write_request_reviewed_by_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_write_request")),
        sa.UniqueConstraint("command_no", name=op.f("uq_write_request_command_no")),
        schema="metering",
    )
    op.create_index(
        "uq_write_request_pending",
        "write_request",
        ["meter_id"],
        unique=True,
        schema="metering",
        postgresql_where=sa.text("ended_as IS NULL"),
    )
    op.create_table(
        "write_outcome",
        sa.Column("request_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "taken_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="before the first byte is sent",
        ),
        sa.Column("taken_by", sa.String(), nullable=False, comment="poller"),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "is_verified", sa.Boolean(), nullable=True, comment="the terminal shows what was asked"
        ),
        sa.Column("error", sa.String(), nullable=True, comment="stable code of what went wrong"),
        sa.Column("read_back", JSONB(), nullable=True, comment="what the terminal showed"),
        sa.ForeignKeyConstraint(
            ["request_id"], ["metering.write_request.id"], name=op.f("fk_write_outcome_request_id")
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_write_outcome")),
        schema="metering",
    )
    op.add_column(
        "point",
        sa.Column(
            "never_cut",
            sa.String(),
            nullable=True,
            comment="why supply here is never taken away remotely; pushed down with the archive",
        ),
        schema="metering",
    )
    op.add_column(
        "point",
        sa.Column("never_cut_until", sa.Date(), nullable=True, comment="last day; empty: no end"),
        schema="metering",
    )
    op.execute(PUSH_MARKS)
    op.add_column(
        "terminal",
        sa.Column(
            "framing",
            sa.String(40),
            server_default="mbap",
            nullable=False,
            comment="of its whole connection",
        ),
        schema="metering",
    )
    op.add_column(
        "terminal",
        sa.Column(
            "depth",
            sa.Integer(),
            server_default="1",
            nullable=False,
            comment="requests its gateway takes at a time, 1 to 16",
        ),
        schema="metering",
    )
