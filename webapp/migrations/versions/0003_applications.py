"""Applications, documents, archive versions, meters in stock, drafts, desks of departments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "attachment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("subject_type", sa.String(), nullable=False),
        sa.Column("subject_no", sa.String(), nullable=False),
        sa.Column(
            "name", sa.String(), nullable=False, comment="as the person called it, made harmless"
        ),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False, comment="bytes"),
        sa.Column(
            "sha256", sa.String(), nullable=False, comment="hexadecimal; also where the file lies"
        ),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stored_by_id", sa.Integer(), nullable=True),
        sa.Column("stored_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
        schema="foundation",
    )
    op.create_index(
        op.f("ix_attachment_sha256"), "attachment", ["sha256"], unique=False, schema="foundation"
    )
    op.create_index(
        op.f("ix_attachment_subject_type_subject_no"),
        "attachment",
        ["subject_type", "subject_no"],
        unique=False,
        schema="foundation",
    )
    op.create_table(
        "public_failure",
        sa.Column("key", sa.String(), nullable=False, comment="address:… or number:…"),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_public_failure")),
        schema="webapp",
    )
    op.create_table(
        "stock_meter",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("meter_no", sa.String(), nullable=False),
        sa.Column("supply", sa.String(40), nullable=False, comment="what it can measure"),
        sa.Column(
            "terminal_id", sa.BigInteger(), nullable=True, comment="out of service until fitted"
        ),
        sa.Column("ct", sa.Integer(), nullable=False),
        sa.Column("pt", sa.Integer(), nullable=False),
        sa.Column("rated_a", sa.Integer(), nullable=False),
        sa.Column(
            "unit_id", sa.BigInteger(), nullable=True, comment="department whose store it lies in"
        ),
        sa.Column(
            "drawn_for", sa.String(), nullable=True, comment="number of the case it was drawn for"
        ),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("installed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["terminal_id"], ["metering.terminal.id"], name=op.f("fk_stock_meter_terminal_id")
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["foundation.org_unit.id"], name=op.f("fk_stock_meter_unit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_meter")),
        sa.UniqueConstraint("meter_no", name=op.f("uq_stock_meter_meter_no")),
        sa.UniqueConstraint("terminal_id", name=op.f("uq_stock_meter_terminal_id")),
        schema="metering",
    )
    op.create_table(
        "simulated_stock",
        sa.Column("stock_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("curve", sa.String(), nullable=False, comment="home, shop or factory"),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("peak_w", sa.Double(), nullable=False, comment="highest load it reaches [W]"),
        sa.ForeignKeyConstraint(
            ["stock_id"], ["metering.stock_meter.id"], name=op.f("fk_simulated_stock_stock_id")
        ),
        sa.PrimaryKeyConstraint("stock_id", name=op.f("pk_simulated_stock")),
        schema="metering",
    )
    op.create_table(
        "draft",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(), nullable=False, comment="which form: call:12"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="JSON"),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["foundation.person.id"], name=op.f("fk_draft_person_id")
        ),
        sa.PrimaryKeyConstraint("person_id", "key", name=op.f("pk_draft")),
        schema="webapp",
    )
    op.create_index(op.f("ix_draft_saved_at"), "draft", ["saved_at"], unique=False, schema="webapp")
    op.create_table(
        "application",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("application_no", sa.String(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("applicant_name", sa.String(), nullable=False),
        sa.Column("contact_name", sa.String(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("id_no", sa.LargeBinary(), nullable=False),
        sa.Column("id_no_hash", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column(
            "customer_id", sa.BigInteger(), nullable=True, comment="a known customer who applied"
        ),
        sa.Column("account_no", sa.String(), nullable=False, comment="reserved at acceptance"),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "unit_id",
            sa.BigInteger(),
            nullable=True,
            comment="department that answers for the place",
        ),
        sa.Column("load_kw", sa.Numeric(precision=10, scale=2), nullable=False),
        sa.Column("supply", sa.String(40), nullable=False),
        sa.Column("source", sa.String(), nullable=False, comment="counter, phone or online"),
        sa.Column(
            "answers", JSONB(), nullable=False, comment="by step: its form as last completed"
        ),
        sa.Column(
            "locked", sa.LargeBinary(), nullable=True, comment="the archive as it was when accepted"
        ),
        sa.Column(
            "settled", sa.LargeBinary(), nullable=True, comment="conflicts somebody has decided"
        ),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False, comment="of the customer's code"),
        sa.Column(
            "point_id", sa.BigInteger(), nullable=True, comment="once the archive is written"
        ),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["area_id"], ["metering.transformer_area.id"], name=op.f("fk_application_area_id")
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["foundation.flow_case.id"], name=op.f("fk_application_case_id")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.customer.id"], name=op.f("fk_application_customer_id")
        ),
        sa.ForeignKeyConstraint(
            ["point_id"], ["metering.point.id"], name=op.f("fk_application_point_id")
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["foundation.org_unit.id"], name=op.f("fk_application_unit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application")),
        sa.UniqueConstraint("account_no", name=op.f("uq_application_account_no")),
        sa.UniqueConstraint("application_no", name=op.f("uq_application_application_no")),
        sa.UniqueConstraint("case_id", name=op.f("uq_application_case_id")),
        schema="customers",
    )
    op.create_index(
        op.f("ix_application_address"), "application", ["address"], unique=False, schema="customers"
    )
    op.create_index(
        op.f("ix_application_id_no_hash"),
        "application",
        ["id_no_hash"],
        unique=False,
        schema="customers",
    )
    op.create_index(
        "ix_application_open",
        "application",
        ["unit_id"],
        unique=False,
        schema="customers",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        op.f("ix_application_opened_at"),
        "application",
        ["opened_at"],
        unique=False,
        schema="customers",
    )
    op.create_table(
        "amendment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("case_no", sa.String(), nullable=False, comment="a case writes once"),
        sa.Column("kind", sa.String(), nullable=False, comment="kind of business, e.g. new supply"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("written_by", sa.String(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["customers.account.id"], name=op.f("fk_amendment_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_amendment")),
        sa.UniqueConstraint("account_id", "version", name=op.f("uq_amendment_account_id_version")),
        sa.UniqueConstraint("case_no", name=op.f("uq_amendment_case_no")),
        schema="customers",
    )
    op.create_index(
        op.f("ix_amendment_written_at"),
        "amendment",
        ["written_at"],
        unique=False,
        schema="customers",
    )
    op.create_table(
        "application_document",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("attachment_id", sa.BigInteger(), nullable=True, comment="empty: promised"),
        sa.Column("promised_until", sa.Date(), nullable=True),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["customers.application.id"],
            name=op.f("fk_application_document_application_id"),
        ),
        sa.ForeignKeyConstraint(
            ["attachment_id"],
            ["foundation.attachment.id"],
            name=op.f("fk_application_document_attachment_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_document")),
        schema="customers",
    )
    op.create_index(
        op.f("ix_application_document_application_id"),
        "application_document",
        ["application_id"],
        unique=False,
        schema="customers",
    )
    op.create_table(
        "application_note",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["customers.application.id"],
            name=op.f("fk_application_note_application_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_note")),
        schema="customers",
    )
    op.create_index(
        op.f("ix_application_note_application_id"),
        "application_note",
        ["application_id"],
        unique=False,
        schema="customers",
    )
    op.create_table(
        "amendment_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("amendment_id", sa.BigInteger(), nullable=False),
        sa.Column("thing", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=True),
        sa.Column("after", sa.LargeBinary(), nullable=True),
        sa.Column(
            "source", sa.String(), nullable=False, comment="step of the case the value comes from"
        ),
        sa.ForeignKeyConstraint(
            ["amendment_id"],
            ["customers.amendment.id"],
            name=op.f("fk_amendment_line_amendment_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_amendment_line")),
        schema="customers",
    )
    op.create_index(
        op.f("ix_amendment_line_amendment_id"),
        "amendment_line",
        ["amendment_id"],
        unique=False,
        schema="customers",
    )
    op.add_column(
        "account",
        sa.Column(
            "second_area_id",
            sa.BigInteger(),
            nullable=True,
            comment="where a second supply comes from (双电源)",
        ),
        schema="customers",
    )
    op.create_foreign_key(
        op.f("fk_account_second_area_id"),
        "account",
        "transformer_area",
        ["second_area_id"],
        ["id"],
        source_schema="customers",
        referent_schema="metering",
    )
    op.add_column(
        "account",
        sa.Column(
            "pv_kwp",
            sa.Numeric(precision=9, scale=2),
            nullable=True,
            comment="the customer's own solar plant [kW]",
        ),
        schema="customers",
    )
    op.add_column(
        "account",
        sa.Column("tariff_code", sa.String(), nullable=True, comment="电价码"),
        schema="customers",
    )
    op.add_column(
        "account",
        sa.Column(
            "contract_kw",
            sa.Numeric(precision=10, scale=2),
            nullable=True,
            comment="contract capacity (合同容量) [kW]",
        ),
        schema="customers",
    )
    op.alter_column(
        "account",
        "version",
        existing_type=sa.INTEGER(),
        comment="of the archive, one a closed case",
        existing_nullable=False,
        schema="customers",
    )
    op.add_column(
        "flow_case",
        sa.Column("holder_id", sa.Integer(), nullable=True, comment="who has taken the step"),
        schema="foundation",
    )
    op.add_column(
        "flow_case", sa.Column("holder_name", sa.String(), nullable=True), schema="foundation"
    )
    op.add_column(
        "flow_case",
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        schema="foundation",
    )
    op.add_column(
        "flow_case",
        sa.Column(
            "paused_at", sa.DateTime(timezone=True), nullable=True, comment="since when it waits"
        ),
        schema="foundation",
    )
    op.add_column(
        "flow_case",
        sa.Column("pause_reason", sa.String(), nullable=True, comment="one of the flow's reasons"),
        schema="foundation",
    )
    op.add_column(
        "flow_case",
        sa.Column(
            "returned_from", sa.String(), nullable=True, comment="step that sent it back here"
        ),
        schema="foundation",
    )
    op.add_column(
        "org_unit",
        sa.Column(
            "desks",
            postgresql.ARRAY(sa.String()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="the work it does in flows (岗位)",
        ),
        schema="foundation",
    )
