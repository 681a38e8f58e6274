"""Calls, outages, call-backs, notices; tickets know contact, outage and round."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("lang", sa.String(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("about_type", sa.String(), nullable=False, comment="ticket, outage, case"),
        sa.Column("about_no", sa.String(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("gateway", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        schema="callcenter",
    )
    op.create_index(
        op.f("ix_delivery_about_type_about_no"),
        "delivery",
        ["about_type", "about_no"],
        unique=False,
        schema="callcenter",
    )
    op.create_index(
        op.f("ix_delivery_created_at"),
        "delivery",
        ["created_at"],
        unique=False,
        schema="callcenter",
    )
    op.create_table(
        "opt_out",
        sa.Column("phone_hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("phone_hash", name=op.f("pk_opt_out")),
        schema="callcenter",
    )
    op.create_table(
        "seat_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_state", sa.String(40), nullable=True),
        sa.Column("to_state", sa.String(40), nullable=False),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["foundation.person.id"], name=op.f("fk_seat_history_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat_history")),
        schema="callcenter",
    )
    op.create_index(
        op.f("ix_seat_history_person_id_at"),
        "seat_history",
        ["person_id", "at"],
        unique=False,
        schema="callcenter",
    )
    op.create_table(
        "outage",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("outage_no", sa.String(), nullable=False, comment="TD-260618-031"),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("scope", sa.String(40), nullable=False),
        sa.Column(
            "subject",
            sa.String(),
            nullable=False,
            comment="area:1 or box:B-0712-06; one open fault each",
        ),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("area_id", sa.BigInteger(), nullable=False),
        sa.Column("box_no", sa.String(), nullable=True),
        sa.Column("feeder_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False, comment="who answers for the feeder"),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("eta_at", sa.DateTime(timezone=True), nullable=True, comment="expected back"),
        sa.Column(
            "planned_to",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="end of a planned window",
        ),
        sa.Column("restored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("alert_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "ticket_no", sa.String(), nullable=True, comment="of the repair ticket that works on it"
        ),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["loadmgmt.alert.id"], name=op.f("fk_outage_alert_id")
        ),
        sa.ForeignKeyConstraint(
            ["area_id"], ["metering.transformer_area.id"], name=op.f("fk_outage_area_id")
        ),
        sa.ForeignKeyConstraint(
            ["feeder_id"], ["metering.feeder.id"], name=op.f("fk_outage_feeder_id")
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["foundation.org_unit.id"], name=op.f("fk_outage_unit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outage")),
        sa.UniqueConstraint("outage_no", name=op.f("uq_outage_outage_no")),
        schema="loadmgmt",
    )
    op.create_index(
        "ix_outage_open_area",
        "outage",
        ["area_id"],
        unique=False,
        schema="loadmgmt",
        postgresql_where=sa.text("restored_at IS NULL"),
    )
    op.create_index(
        op.f("ix_outage_started_at"), "outage", ["started_at"], unique=False, schema="loadmgmt"
    )
    op.create_index(
        "uq_outage_open_fault",
        "outage",
        ["subject"],
        unique=True,
        schema="loadmgmt",
        postgresql_where=sa.text("restored_at IS NULL AND kind = 'fault'"),
    )
    op.create_table(
        "call",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("switch_call_id", sa.String(), nullable=False, comment="the switch's own number"),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("caller", sa.LargeBinary(), nullable=True, comment="empty where it is withheld"),
        sa.Column("caller_hash", sa.LargeBinary(), nullable=True),
        sa.Column("called", sa.String(), nullable=False),
        sa.Column("extension", sa.String(), nullable=False),
        sa.Column("agent_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "point_id", sa.BigInteger(), nullable=True, comment="the account the call is about"
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rang_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_s", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(40), nullable=True),
        sa.Column("outcome_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome_by", sa.String(), nullable=True),
        sa.Column("ticket_no", sa.String(), nullable=True),
        sa.Column("outage_id", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("contact_name", sa.String(), nullable=True),
        sa.Column("contact_phone", sa.LargeBinary(), nullable=True),
        sa.Column("notify", sa.Boolean(), nullable=False, comment="wants notices"),
        sa.Column("callback", sa.Boolean(), nullable=False, comment="wants to be called back"),
        sa.Column("changed_by", sa.String(), nullable=True, comment="who last chose or finished"),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False, comment="of what people changed"),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["foundation.person.id"], name=op.f("fk_call_agent_id")
        ),
        sa.ForeignKeyConstraint(
            ["outage_id"], ["loadmgmt.outage.id"], name=op.f("fk_call_outage_id")
        ),
        sa.ForeignKeyConstraint(["point_id"], ["metering.point.id"], name=op.f("fk_call_point_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
        sa.UniqueConstraint("switch_call_id", name=op.f("uq_call_switch_call_id")),
        schema="callcenter",
    )
    op.create_index(
        op.f("ix_call_agent_id_started_at"),
        "call",
        ["agent_id", "started_at"],
        unique=False,
        schema="callcenter",
    )
    op.create_index(
        op.f("ix_call_caller_hash_started_at"),
        "call",
        ["caller_hash", "started_at"],
        unique=False,
        schema="callcenter",
    )
    op.create_index(
        "ix_call_live",
        "call",
        ["started_at"],
        unique=False,
        schema="callcenter",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        op.f("ix_call_outage_id"), "call", ["outage_id"], unique=False, schema="callcenter"
    )
    op.create_index(
        op.f("ix_call_point_id"), "call", ["point_id"], unique=False, schema="callcenter"
    )
    op.create_index(
        op.f("ix_call_started_at"), "call", ["started_at"], unique=False, schema="callcenter"
    )
    op.create_index(
        op.f("ix_call_ticket_no"), "call", ["ticket_no"], unique=False, schema="callcenter"
    )
    op.create_table(
        "outage_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("outage_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "what", sa.String(), nullable=False, comment="detected, confirmed, eta, restored ..."
        ),
        sa.Column("from_state", sa.String(40), nullable=True),
        sa.Column("to_state", sa.String(40), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("eta_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("eta_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["outage_id"], ["loadmgmt.outage.id"], name=op.f("fk_outage_history_outage_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outage_history")),
        schema="loadmgmt",
    )
    op.create_index(
        op.f("ix_outage_history_outage_id"),
        "outage_history",
        ["outage_id"],
        unique=False,
        schema="loadmgmt",
    )
    op.create_table(
        "outage_member",
        sa.Column("outage_id", sa.BigInteger(), nullable=False),
        sa.Column("point_id", sa.BigInteger(), nullable=False),
        sa.Column("power", sa.String(40), nullable=False),
        sa.Column("was_dark", sa.Boolean(), nullable=False),
        sa.Column("back_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["outage_id"], ["loadmgmt.outage.id"], name=op.f("fk_outage_member_outage_id")
        ),
        sa.ForeignKeyConstraint(
            ["point_id"], ["metering.point.id"], name=op.f("fk_outage_member_point_id")
        ),
        sa.PrimaryKeyConstraint("outage_id", "point_id", name=op.f("pk_outage_member")),
        schema="loadmgmt",
    )
    op.create_index(
        op.f("ix_outage_member_point_id"),
        "outage_member",
        ["point_id"],
        unique=False,
        schema="loadmgmt",
    )
    op.create_table(
        "outage_report",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source", sa.String(), nullable=False, comment="who keeps the report: call"),
        sa.Column("ref", sa.BigInteger(), nullable=False, comment="its number there"),
        sa.Column("point_id", sa.BigInteger(), nullable=False),
        sa.Column("area_id", sa.BigInteger(), nullable=False),
        sa.Column("box_no", sa.String(), nullable=False),
        sa.Column(
            "inside",
            sa.Boolean(),
            nullable=False,
            comment="the own meter had voltage: no evidence of an outage",
        ),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outage_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["area_id"], ["metering.transformer_area.id"], name=op.f("fk_outage_report_area_id")
        ),
        sa.ForeignKeyConstraint(
            ["outage_id"], ["loadmgmt.outage.id"], name=op.f("fk_outage_report_outage_id")
        ),
        sa.ForeignKeyConstraint(
            ["point_id"], ["metering.point.id"], name=op.f("fk_outage_report_point_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outage_report")),
        sa.UniqueConstraint("source", "ref", name=op.f("uq_outage_report_source_ref")),
        schema="loadmgmt",
    )
    op.create_index(
        op.f("ix_outage_report_area_id_reported_at"),
        "outage_report",
        ["area_id", "reported_at"],
        unique=False,
        schema="loadmgmt",
    )
    op.create_index(
        op.f("ix_outage_report_outage_id"),
        "outage_report",
        ["outage_id"],
        unique=False,
        schema="loadmgmt",
    )
    op.create_table(
        "call_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("event", sa.String(), nullable=False, comment="the switch's number of the event"),
        sa.Column("call_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("caller", sa.LargeBinary(), nullable=True),
        sa.Column("called", sa.String(), nullable=False),
        sa.Column("extension", sa.String(), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id"], ["callcenter.call.id"], name=op.f("fk_call_event_call_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_event")),
        sa.UniqueConstraint("event", name=op.f("uq_call_event_event")),
        schema="callcenter",
    )
    op.create_index(
        op.f("ix_call_event_call_id"), "call_event", ["call_id"], unique=False, schema="callcenter"
    )
    op.create_table(
        "callback",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False, comment="of the ticket"),
        sa.Column(
            "asked", sa.String(), nullable=False, comment="ticket, or call:12; one call-back each"
        ),
        sa.Column("point_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column(
            "due_at", sa.DateTime(timezone=True), nullable=False, comment="not to be called before"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("solved", sa.Boolean(), nullable=True),
        sa.Column("satisfaction", sa.Integer(), nullable=True, comment="5 very satisfied to 1"),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["point_id"], ["metering.point.id"], name=op.f("fk_callback_point_id")
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["callcenter.ticket.id"], name=op.f("fk_callback_ticket_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback")),
        sa.UniqueConstraint(
            "ticket_id", "round", "asked", name=op.f("uq_callback_ticket_id_round_asked")
        ),
        schema="callcenter",
    )
    op.create_index(
        "ix_callback_waiting",
        "callback",
        ["due_at"],
        unique=False,
        schema="callcenter",
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "seat",
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("extension", sa.String(), nullable=True, comment="分机"),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="a wrap-up ends by itself then",
        ),
        sa.Column("call_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["callcenter.call.id"], name=op.f("fk_seat_call_id")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["foundation.person.id"], name=op.f("fk_seat_person_id")
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_seat")),
        sa.UniqueConstraint("extension", name=op.f("uq_seat_extension")),
        schema="callcenter",
    )
    op.create_table(
        "callback_attempt",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("callback_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("result", sa.String(40), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["callback_id"],
            ["callcenter.callback.id"],
            name=op.f("fk_callback_attempt_callback_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback_attempt")),
        schema="callcenter",
    )
    op.create_index(
        op.f("ix_callback_attempt_callback_id"),
        "callback_attempt",
        ["callback_id"],
        unique=False,
        schema="callcenter",
    )
    op.add_column(
        "ticket",
        sa.Column(
            "outage_id",
            sa.BigInteger(),
            nullable=True,
            comment="the outage it works on; one open ticket each",
        ),
        schema="callcenter",
    )
    op.add_column(
        "ticket",
        sa.Column(
            "contact_name", sa.String(), nullable=True, comment="who asked, if not the account's"
        ),
        schema="callcenter",
    )
    op.add_column(
        "ticket", sa.Column("contact_phone", sa.LargeBinary(), nullable=True), schema="callcenter"
    )
    op.add_column(
        "ticket",
        sa.Column(
            "notify",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="the contact wants notices",
        ),
        schema="callcenter",
    )
    op.add_column(
        "ticket",
        sa.Column(
            "apart",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="kept apart from outages by hand",
        ),
        schema="callcenter",
    )
    op.add_column(
        "ticket",
        sa.Column(
            "round",
            sa.Integer(),
            server_default=sa.text("1"),
            nullable=False,
            comment="above one: reopened after a call-back",
        ),
        schema="callcenter",
    )
    op.add_column(
        "ticket",
        sa.Column("merged_into", sa.String(), nullable=True, comment="ticket that does its work"),
        schema="callcenter",
    )
    op.create_index(
        "uq_ticket_of_outage",
        "ticket",
        ["outage_id"],
        unique=True,
        schema="callcenter",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_foreign_key(
        op.f("fk_ticket_outage_id"),
        "ticket",
        "outage",
        ["outage_id"],
        ["id"],
        source_schema="callcenter",
        referent_schema="loadmgmt",
    )
