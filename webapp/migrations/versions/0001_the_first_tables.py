"""The first tables of every room."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

SCHEMAS = ("foundation", "metering", "customers", "loadmgmt", "callcenter")

ENSURE_DAYS = """
CREATE FUNCTION metering.ensure_reading_days(first date, last date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    day date;
BEGIN
    FOR day IN SELECT generate_series(first, last, interval '1 day')::date LOOP
        IF to_regclass(format('metering.reading_%s', to_char(day, 'YYYYMMDD'))) IS NULL THEN
            EXECUTE format(
                'CREATE TABLE IF NOT EXISTS metering.reading_%s PARTITION OF metering.reading'
                ' FOR VALUES FROM (%L) TO (%L)',
                to_char(day, 'YYYYMMDD'),
                day::timestamp AT TIME ZONE 'UTC',
                (day + 1)::timestamp AT TIME ZONE 'UTC'
            );
        END IF;
    END LOOP;
END $$
"""

APPEND_ONLY = """
CREATE FUNCTION foundation.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit is append only' USING ERRCODE = 'insufficient_privilege';
END $$
"""


def upgrade() -> None:
    for schema in SCHEMAS:
        op.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    op.create_table(
        "customer",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("contact_name", sa.String(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("phone_hash", sa.LargeBinary(), nullable=True),
        sa.Column("id_no", sa.LargeBinary(), nullable=True, comment="identity or licence number"),
        sa.Column("id_no_hash", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        schema="customers",
    )
    op.create_index(
        op.f("ix_customer_id_no_hash"), "customer", ["id_no_hash"], unique=False, schema="customers"
    )
    op.create_index(
        op.f("ix_customer_phone_hash"), "customer", ["phone_hash"], unique=False, schema="customers"
    )
    op.create_table(
        "premises",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_premises")),
        sa.UniqueConstraint("address", name=op.f("uq_premises_address")),
        schema="customers",
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column(
            "actor_id",
            sa.BigInteger(),
            nullable=True,
            comment="person; empty when the system acted",
        ),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("subject_type", sa.String(), nullable=False),
        sa.Column(
            "subject_no",
            sa.String(),
            nullable=False,
            comment="the number people say, or the row's id",
        ),
        sa.Column("facts", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        schema="foundation",
    )
    op.create_index(
        op.f("ix_audit_entry_at"), "audit_entry", ["at"], unique=False, schema="foundation"
    )
    op.create_index(
        op.f("ix_audit_entry_subject_type_subject_no"),
        "audit_entry",
        ["subject_type", "subject_no"],
        unique=False,
        schema="foundation",
    )
    op.create_table(
        "audit_seal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_seal")),
        schema="foundation",
    )
    op.create_table(
        "clock_leader",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("backend", sa.Integer(), nullable=False, comment="its database session"),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_leader")),
        schema="foundation",
    )
    op.create_table(
        "clock_tick",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("slot_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", "slot_at", name=op.f("pk_clock_tick")),
        schema="foundation",
    )
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("payload", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        schema="foundation",
    )
    op.create_index(op.f("ix_event_name"), "event", ["name"], unique=False, schema="foundation")
    op.create_table(
        "flow_case",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("flow", sa.String(), nullable=False),
        sa.Column("flow_version", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False, comment="the number people say"),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("limits", JSONB(), nullable=False, comment="what was promised when it began"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "entered_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when it came to this step",
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_case")),
        schema="foundation",
    )
    op.create_index(
        op.f("ix_flow_case_flow_step"),
        "flow_case",
        ["flow", "step"],
        unique=False,
        schema="foundation",
    )
    op.create_index(
        op.f("ix_flow_case_status"), "flow_case", ["status"], unique=False, schema="foundation"
    )
    op.create_table(
        "job_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False, comment="done or failed"),
        sa.Column("error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_run")),
        schema="foundation",
    )
    op.create_index(
        op.f("ix_job_run_name_started_at"),
        "job_run",
        ["name", "started_at"],
        unique=False,
        schema="foundation",
    )
    op.create_index(
        "uq_job_run_done",
        "job_run",
        ["job_id"],
        unique=True,
        schema="foundation",
        postgresql_where=sa.text("outcome = 'done'"),
    )
    op.create_table(
        "number_series",
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("prefix", "day", name=op.f("pk_number_series")),
        schema="foundation",
    )
    op.create_table(
        "org_unit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["foundation.org_unit.id"], name=op.f("fk_org_unit_parent_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_org_unit")),
        sa.UniqueConstraint("name_zh", name=op.f("uq_org_unit_name_zh")),
        schema="foundation",
    )
    op.create_table(
        "override",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.String(), nullable=False, comment="file.table.key"),
        sa.Column("value", JSONB(), nullable=False, comment='{"value": ...}'),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_override")),
        schema="foundation",
    )
    op.create_index(op.f("ix_override_key"), "override", ["key"], unique=False, schema="foundation")
    op.create_table(
        "daily",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("meter_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("wh_import", sa.BigInteger(), nullable=True, comment="register at day's end"),
        sa.Column("used_wh", sa.BigInteger(), nullable=True),
        sa.Column("p_max", sa.REAL(), nullable=True),
        sa.Column("u_min", sa.REAL(), nullable=True),
        sa.Column("u_max", sa.REAL(), nullable=True),
        sa.Column("points", sa.SmallInteger(), nullable=False, comment="readings it was made from"),
        sa.PrimaryKeyConstraint("day", "meter_id", name=op.f("pk_daily")),
        schema="metering",
    )
    op.create_table(
        "latest",
        sa.Column("meter_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wh_import", sa.BigInteger(), nullable=True),
        sa.Column("wh_export", sa.BigInteger(), nullable=True),
        sa.Column("varh_import", sa.BigInteger(), nullable=True),
        sa.Column("u_a", sa.REAL(), nullable=True),
        sa.Column("u_b", sa.REAL(), nullable=True),
        sa.Column("u_c", sa.REAL(), nullable=True),
        sa.Column("i_a", sa.REAL(), nullable=True),
        sa.Column("i_b", sa.REAL(), nullable=True),
        sa.Column("i_c", sa.REAL(), nullable=True),
        sa.Column("i_n", sa.REAL(), nullable=True),
        sa.Column("p", sa.REAL(), nullable=True),
        sa.Column("p_a", sa.REAL(), nullable=True),
        sa.Column("p_b", sa.REAL(), nullable=True),
        sa.Column("p_c", sa.REAL(), nullable=True),
        sa.Column("q", sa.REAL(), nullable=True),
        sa.Column("q_a", sa.REAL(), nullable=True),
        sa.Column("q_b", sa.REAL(), nullable=True),
        sa.Column("q_c", sa.REAL(), nullable=True),
        sa.Column("pf", sa.REAL(), nullable=True),
        sa.Column("f", sa.REAL(), nullable=True),
        sa.Column("quality", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.SmallInteger(), nullable=False),
        sa.Column("inputs", sa.SmallInteger(), nullable=True),
        sa.PrimaryKeyConstraint("meter_id", name=op.f("pk_latest")),
        schema="metering",
        postgresql_with={"fillfactor": 60},
    )
    op.create_table(
        "reading",
        sa.Column(
            "ts",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="start of the nominal interval",
        ),
        sa.Column("meter_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "read_off_s", sa.SmallInteger(), nullable=False, comment="real reading after ts [s]"
        ),
        sa.Column("wh_import", sa.BigInteger(), nullable=True),
        sa.Column("wh_export", sa.BigInteger(), nullable=True),
        sa.Column("varh_import", sa.BigInteger(), nullable=True),
        sa.Column("u_a", sa.REAL(), nullable=True),
        sa.Column("u_b", sa.REAL(), nullable=True),
        sa.Column("u_c", sa.REAL(), nullable=True),
        sa.Column("i_a", sa.REAL(), nullable=True),
        sa.Column("i_b", sa.REAL(), nullable=True),
        sa.Column("i_c", sa.REAL(), nullable=True),
        sa.Column("i_n", sa.REAL(), nullable=True),
        sa.Column("p", sa.REAL(), nullable=True),
        sa.Column("p_a", sa.REAL(), nullable=True),
        sa.Column("p_b", sa.REAL(), nullable=True),
        sa.Column("p_c", sa.REAL(), nullable=True),
        sa.Column("q", sa.REAL(), nullable=True),
        sa.Column("q_a", sa.REAL(), nullable=True),
        sa.Column("q_b", sa.REAL(), nullable=True),
        sa.Column("q_c", sa.REAL(), nullable=True),
        sa.Column("pf", sa.REAL(), nullable=True),
        sa.Column("f", sa.REAL(), nullable=True),
        sa.Column("quality", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.SmallInteger(), nullable=False),
        sa.Column("inputs", sa.SmallInteger(), nullable=True),
        sa.PrimaryKeyConstraint("ts", "meter_id", name=op.f("pk_reading")),
        schema="metering",
        postgresql_partition_by="RANGE (ts)",
    )
    op.create_table(
        "reading_batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=False),
        sa.Column("meter_ids", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading_batch")),
        schema="metering",
    )
    op.create_index(
        "ix_reading_batch_waiting",
        "reading_batch",
        ["id"],
        unique=False,
        schema="metering",
        postgresql_where=sa.text("judged_at IS NULL"),
    )
    op.create_table(
        "substation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_substation")),
        sa.UniqueConstraint("name", name=op.f("uq_substation_name")),
        schema="metering",
    )
    op.create_table(
        "terminal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("terminal_no", sa.String(), nullable=False, comment="ZD-1402"),
        sa.Column("profile", sa.String(), nullable=False, comment="name of a profile file"),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("unit", sa.Integer(), nullable=False, comment="Modbus unit id, 0 to 247"),
        sa.Column(
            "interval_s", sa.Integer(), nullable=False, comment="asked every so many seconds"
        ),
        sa.Column("in_service", sa.Boolean(), nullable=False),
        sa.Column("last_ok_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_rounds", sa.Integer(), nullable=False),
        sa.Column(
            "silent_since",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="set after several failed rounds",
        ),
        sa.Column(
            "last_error", sa.String(), nullable=True, comment="stable code of the last failure"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terminal")),
        sa.UniqueConstraint("host", "port", "unit", name=op.f("uq_terminal_host_port_unit")),
        sa.UniqueConstraint("terminal_no", name=op.f("uq_terminal_terminal_no")),
        schema="metering",
    )
    op.create_table(
        "crew",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("on_shift", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["foundation.org_unit.id"], name=op.f("fk_crew_unit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crew")),
        sa.UniqueConstraint("name", name=op.f("uq_crew_name")),
        schema="callcenter",
    )
    op.create_table(
        "audit_sealed",
        sa.Column("entry_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seal_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["foundation.audit_entry.id"], name=op.f("fk_audit_sealed_entry_id")
        ),
        sa.ForeignKeyConstraint(
            ["seal_id"], ["foundation.audit_seal.id"], name=op.f("fk_audit_sealed_seal_id")
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_audit_sealed")),
        schema="foundation",
    )
    op.create_index(
        op.f("ix_audit_sealed_seal_id"),
        "audit_sealed",
        ["seal_id"],
        unique=False,
        schema="foundation",
    )
    op.create_table(
        "flow_clock",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("met_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "late_noted_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when lateness was told, once",
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["foundation.flow_case.id"], name=op.f("fk_flow_clock_case_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_clock")),
        schema="foundation",
    )
    op.create_index(
        op.f("ix_flow_clock_case_id"), "flow_clock", ["case_id"], unique=False, schema="foundation"
    )
    op.create_index(
        "ix_flow_clock_running",
        "flow_clock",
        ["due_at"],
        unique=False,
        schema="foundation",
        postgresql_where=sa.text("met_at IS NULL"),
    )
    op.create_table(
        "flow_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "version", sa.Integer(), nullable=False, comment="the case's version after the move"
        ),
        sa.Column("move", sa.String(), nullable=False),
        sa.Column("from_step", sa.String(), nullable=True),
        sa.Column("to_step", sa.String(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="when it was recorded"),
        sa.Column(
            "done_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when it was done, by the doer's own clock",
        ),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("form", JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["foundation.flow_case.id"], name=op.f("fk_flow_history_case_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_history")),
        sa.UniqueConstraint("case_id", "version", name=op.f("uq_flow_history_case_id_version")),
        schema="foundation",
    )
    op.create_table(
        "person",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("staff_no", sa.String(), nullable=False, comment="工号, said aloud"),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column(
            "pinyin", sa.String(), nullable=False, comment="shown beside the name on English pages"
        ),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["foundation.org_unit.id"], name=op.f("fk_person_unit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("staff_no", name=op.f("uq_person_staff_no")),
        schema="foundation",
    )
    op.create_table(
        "feeder",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("feeder_no", sa.String(), nullable=False, comment="F07"),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("substation_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "unit_id", sa.BigInteger(), nullable=False, comment="supply station that answers for it"
        ),
        sa.ForeignKeyConstraint(
            ["substation_id"], ["metering.substation.id"], name=op.f("fk_feeder_substation_id")
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["foundation.org_unit.id"], name=op.f("fk_feeder_unit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feeder")),
        sa.UniqueConstraint("feeder_no", name=op.f("uq_feeder_feeder_no")),
        schema="metering",
    )
    op.create_index(
        op.f("ix_feeder_substation_id"),
        "feeder",
        ["substation_id"],
        unique=False,
        schema="metering",
    )
    op.create_table(
        "crew_member",
        sa.Column("crew_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["crew_id"], ["callcenter.crew.id"], name=op.f("fk_crew_member_crew_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["foundation.person.id"], name=op.f("fk_crew_member_person_id")
        ),
        sa.PrimaryKeyConstraint("crew_id", "person_id", name=op.f("pk_crew_member")),
        schema="callcenter",
    )
    op.create_index(
        op.f("ix_crew_member_person_id"),
        "crew_member",
        ["person_id"],
        unique=False,
        schema="callcenter",
    )
    op.create_table(
        "role_grant",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["foundation.person.id"], name=op.f("fk_role_grant_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
        sa.UniqueConstraint("person_id", "role", name=op.f("uq_role_grant_person_id_role")),
        schema="foundation",
    )
    op.create_index(
        op.f("ix_role_grant_person_id"),
        "role_grant",
        ["person_id"],
        unique=False,
        schema="foundation",
    )
    op.create_table(
        "transformer_area",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("area_no", sa.String(), nullable=False, comment="TG-0712"),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("feeder_id", sa.BigInteger(), nullable=False),
        sa.Column("rated_kva", sa.Integer(), nullable=False),
        sa.Column("area_class", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(
            ["feeder_id"], ["metering.feeder.id"], name=op.f("fk_transformer_area_feeder_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transformer_area")),
        sa.UniqueConstraint("area_no", name=op.f("uq_transformer_area_area_no")),
        schema="metering",
    )
    op.create_index(
        op.f("ix_transformer_area_feeder_id"),
        "transformer_area",
        ["feeder_id"],
        unique=False,
        schema="metering",
    )
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False, comment="Argon2id"),
        sa.Column("failures", sa.Integer(), nullable=False, comment="in a row"),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("theme", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["foundation.person.id"], name=op.f("fk_account_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("person_id", name=op.f("uq_account_person_id")),
        sa.UniqueConstraint("username", name=op.f("uq_account_username")),
        schema="webapp",
    )
    op.create_table(
        "point",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("point_no", sa.String(), nullable=False, comment="P-0712-0431"),
        sa.Column("area_id", sa.BigInteger(), nullable=False),
        sa.Column("box_no", sa.String(), nullable=False, comment="meter box (表箱), B-0712-06"),
        sa.Column("supply", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(
            ["area_id"], ["metering.transformer_area.id"], name=op.f("fk_point_area_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point")),
        sa.UniqueConstraint("point_no", name=op.f("uq_point_point_no")),
        schema="metering",
    )
    op.create_index(op.f("ix_point_area_id"), "point", ["area_id"], unique=False, schema="metering")
    op.create_index(op.f("ix_point_box_no"), "point", ["box_no"], unique=False, schema="metering")
    op.create_table(
        "sign_in",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["webapp.account.id"], name=op.f("fk_sign_in_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_token_hash")),
        schema="webapp",
    )
    op.create_index(
        op.f("ix_sign_in_account_id"), "sign_in", ["account_id"], unique=False, schema="webapp"
    )
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_no", sa.String(), nullable=False, comment="户号, ten digits"),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("premises_id", sa.BigInteger(), nullable=False),
        sa.Column("point_id", sa.BigInteger(), nullable=False),
        sa.Column("category", sa.String(40), nullable=False),
        sa.Column("life_support_until", sa.Date(), nullable=True),
        sa.Column("important_grade", sa.Integer(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.customer.id"], name=op.f("fk_account_customer_id")
        ),
        sa.ForeignKeyConstraint(
            ["point_id"], ["metering.point.id"], name=op.f("fk_account_point_id")
        ),
        sa.ForeignKeyConstraint(
            ["premises_id"], ["customers.premises.id"], name=op.f("fk_account_premises_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("account_no", name=op.f("uq_account_account_no")),
        sa.UniqueConstraint("point_id", name=op.f("uq_account_point_id")),
        schema="customers",
    )
    op.create_index(
        op.f("ix_account_customer_id"), "account", ["customer_id"], unique=False, schema="customers"
    )
    op.create_table(
        "alert",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("severity", sa.String(40), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(), nullable=False, comment="point:1, area:1 or terminal:1"),
        sa.Column("point_id", sa.BigInteger(), nullable=True),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("terminal_id", sa.BigInteger(), nullable=True),
        sa.Column("feeder_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False, comment="who answers for the feeder"),
        sa.Column(
            "parent_id", sa.BigInteger(), nullable=True, comment="the area alert it is folded into"
        ),
        sa.Column("phases", sa.String(), nullable=False),
        sa.Column(
            "measured", sa.Numeric(precision=12, scale=3), nullable=True, comment="worst so far"
        ),
        sa.Column("limit", sa.Numeric(precision=12, scale=3), nullable=True),
        sa.Column("evidence", JSONB(), nullable=False),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="first interval out of band",
        ),
        sa.Column(
            "raised_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when it was written down",
        ),
        sa.Column(
            "last_seen_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="last interval it was seen in",
        ),
        sa.Column("good_intervals", sa.Integer(), nullable=False, comment="in a row, up to now"),
        sa.Column(
            "last_good_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="interval counted last",
        ),
        sa.Column(
            "condition_ended_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="values are good again, a person has yet to close it (theft)",
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("suppressed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handler_id", sa.BigInteger(), nullable=True),
        sa.Column("handler", sa.String(), nullable=True),
        sa.Column("ticket_no", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["area_id"], ["metering.transformer_area.id"], name=op.f("fk_alert_area_id")
        ),
        sa.ForeignKeyConstraint(
            ["feeder_id"], ["metering.feeder.id"], name=op.f("fk_alert_feeder_id")
        ),
        sa.ForeignKeyConstraint(
            ["handler_id"], ["foundation.person.id"], name=op.f("fk_alert_handler_id")
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["loadmgmt.alert.id"], name=op.f("fk_alert_parent_id")
        ),
        sa.ForeignKeyConstraint(
            ["point_id"], ["metering.point.id"], name=op.f("fk_alert_point_id")
        ),
        sa.ForeignKeyConstraint(
            ["terminal_id"], ["metering.terminal.id"], name=op.f("fk_alert_terminal_id")
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["foundation.org_unit.id"], name=op.f("fk_alert_unit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        schema="loadmgmt",
    )
    op.create_index(
        op.f("ix_alert_parent_id"), "alert", ["parent_id"], unique=False, schema="loadmgmt"
    )
    op.create_index(
        op.f("ix_alert_point_id_started_at"),
        "alert",
        ["point_id", "started_at"],
        unique=False,
        schema="loadmgmt",
    )
    op.create_index(
        op.f("ix_alert_raised_at"), "alert", ["raised_at"], unique=False, schema="loadmgmt"
    )
    op.create_index(
        "ix_alert_standing_area",
        "alert",
        ["area_id"],
        unique=False,
        schema="loadmgmt",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "uq_alert_standing",
        "alert",
        ["subject", "kind"],
        unique=True,
        schema="loadmgmt",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "meter",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("meter_no", sa.String(), nullable=False, comment="M-0712-0431"),
        sa.Column("point_id", sa.BigInteger(), nullable=False),
        sa.Column("terminal_id", sa.BigInteger(), nullable=True),
        sa.Column("ct", sa.Integer(), nullable=False, comment="CT ratio, 150/5 = 30"),
        sa.Column("pt", sa.Integer(), nullable=False, comment="PT ratio, 10000/100 = 100"),
        sa.Column(
            "rated_a",
            sa.Integer(),
            nullable=False,
            comment="basic current Ib on the meter's side of the CT [A]",
        ),
        sa.Column("installed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["point_id"], ["metering.point.id"], name=op.f("fk_meter_point_id")
        ),
        sa.ForeignKeyConstraint(
            ["terminal_id"], ["metering.terminal.id"], name=op.f("fk_meter_terminal_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meter")),
        sa.UniqueConstraint("meter_no", name=op.f("uq_meter_meter_no")),
        schema="metering",
    )
    op.create_index(
        "uq_meter_at_point",
        "meter",
        ["point_id"],
        unique=True,
        schema="metering",
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_index(
        "uq_meter_at_terminal",
        "meter",
        ["terminal_id"],
        unique=True,
        schema="metering",
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "ticket",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_no", sa.String(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("priority", sa.String(40), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("point_id", sa.BigInteger(), nullable=True),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("alert_id", sa.BigInteger(), nullable=True),
        sa.Column("crew_id", sa.BigInteger(), nullable=True),
        sa.Column("evidence", JSONB(), nullable=False, comment="of the alert, as it was"),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "proved_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the meter proved it",
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["loadmgmt.alert.id"], name=op.f("fk_ticket_alert_id")
        ),
        sa.ForeignKeyConstraint(
            ["area_id"], ["metering.transformer_area.id"], name=op.f("fk_ticket_area_id")
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["foundation.flow_case.id"], name=op.f("fk_ticket_case_id")
        ),
        sa.ForeignKeyConstraint(
            ["crew_id"], ["callcenter.crew.id"], name=op.f("fk_ticket_crew_id")
        ),
        sa.ForeignKeyConstraint(
            ["point_id"], ["metering.point.id"], name=op.f("fk_ticket_point_id")
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["foundation.org_unit.id"], name=op.f("fk_ticket_unit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
        sa.UniqueConstraint("case_id", name=op.f("uq_ticket_case_id")),
        sa.UniqueConstraint("ticket_no", name=op.f("uq_ticket_ticket_no")),
        schema="callcenter",
    )
    op.create_index(
        "ix_ticket_open",
        "ticket",
        ["crew_id"],
        unique=False,
        schema="callcenter",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        op.f("ix_ticket_opened_at"), "ticket", ["opened_at"], unique=False, schema="callcenter"
    )
    op.create_index(
        op.f("ix_ticket_point_id"), "ticket", ["point_id"], unique=False, schema="callcenter"
    )
    op.create_index(
        "uq_ticket_of_alert",
        "ticket",
        ["alert_id"],
        unique=True,
        schema="callcenter",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "alert_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("alert_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String(), nullable=False, comment="raised, acknowledged, cleared ..."),
        sa.Column("from_state", sa.String(40), nullable=True),
        sa.Column("to_state", sa.String(40), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["loadmgmt.alert.id"], name=op.f("fk_alert_history_alert_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_history")),
        schema="loadmgmt",
    )
    op.create_index(
        op.f("ix_alert_history_alert_id"),
        "alert_history",
        ["alert_id"],
        unique=False,
        schema="loadmgmt",
    )
    op.create_table(
        "read_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("meter_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(), nullable=True, comment="stable code of what went wrong"),
        sa.ForeignKeyConstraint(
            ["meter_id"], ["metering.meter.id"], name=op.f("fk_read_request_meter_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_read_request")),
        schema="metering",
    )
    op.create_index(
        "ix_read_request_asked",
        "read_request",
        ["id"],
        unique=False,
        schema="metering",
        postgresql_where=sa.text("state = 'asked'"),
    )
    op.create_index(
        op.f("ix_read_request_meter_id_id"),
        "read_request",
        ["meter_id", "id"],
        unique=False,
        schema="metering",
    )
    op.create_table(
        "simulated_meter",
        sa.Column("meter_id", sa.BigInteger(), nullable=False),
        sa.Column("curve", sa.String(), nullable=False, comment="home, shop or factory"),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("peak_w", sa.Double(), nullable=False, comment="highest load it reaches [W]"),
        sa.ForeignKeyConstraint(
            ["meter_id"], ["metering.meter.id"], name=op.f("fk_simulated_meter_meter_id")
        ),
        sa.PrimaryKeyConstraint("meter_id", name=op.f("pk_simulated_meter")),
        schema="metering",
    )
    op.create_table(
        "ticket_note",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["callcenter.ticket.id"], name=op.f("fk_ticket_note_ticket_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_note")),
        schema="callcenter",
    )
    op.create_index(
        op.f("ix_ticket_note_ticket_id"),
        "ticket_note",
        ["ticket_id"],
        unique=False,
        schema="callcenter",
    )
    op.execute(ENSURE_DAYS)
    op.execute(APPEND_ONLY)
    for table in ("audit_entry", "audit_seal", "audit_sealed"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON foundation.{table}"
            " FOR EACH ROW EXECUTE FUNCTION foundation.refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON foundation.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION foundation.refuse_change()"
        )
