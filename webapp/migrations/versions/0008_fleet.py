"""Reasons of gaps, who asked for them again; terminals' replies as they came; device lists."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the columns; rows there are keep them empty, which means unknown."""
    op.add_column(
        "gap",
        sa.Column("why", sa.String(), nullable=True, comment="code of the reason, if it is known"),
        schema="metering",
    )
    op.add_column(
        "gap",
        sa.Column(
            "asked_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when somebody asked for it to be read again",
        ),
        schema="metering",
    )
    op.add_column(
        "gap",
        sa.Column("asked_by", sa.String(), nullable=True, comment="who did"),
        schema="metering",
    )
    op.add_column(
        "gap_mark", sa.Column("since", sa.DateTime(timezone=True), nullable=True), schema="metering"
    )
    op.execute("UPDATE metering.gap_mark SET since = checked_to")  # what was before is not known
    op.alter_column(
        "gap_mark",
        "since",
        nullable=False,
        comment="intervals that ended after it are judged",
        schema="metering",
    )
    op.alter_column(
        "gap_mark",
        "checked_to",
        comment="and those that ended by then",
        existing_comment="intervals that ended by then are judged",
        schema="metering",
    )
    op.create_index(
        "ix_gap_asked",
        "gap",
        ["asked_at"],
        schema="metering",
        postgresql_where=sa.text("asked_at IS NOT NULL"),
    )
    op.add_column(
        "read_request",
        sa.Column(
            "raw",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="what was answered: function, address and data of each block",
        ),
        schema="metering",
    )
    op.create_table(
        "device_import",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("sent_by", sa.String(), nullable=False),
        sa.Column("sent_by_id", sa.BigInteger(), nullable=True, comment="person"),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "rows",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="as read from the file, one object a row",
        ),
        sa.Column("written_by", sa.String(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "written",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="how many of what was added",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_import")),
        schema="metering",
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_table("device_import", schema="metering")
    op.drop_column("read_request", "raw", schema="metering")
    op.drop_column("gap_mark", "since", schema="metering")
    op.drop_index("ix_gap_asked", table_name="gap", schema="metering")
    for name in ("asked_by", "asked_at", "why"):
        op.drop_column("gap", name, schema="metering")
