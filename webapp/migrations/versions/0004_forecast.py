"""Histories of loads, weather, and forecasts that stay as they were published."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

STAYS = """
CREATE FUNCTION loadmgmt.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a published forecast stays as it is' USING ERRCODE = 'insufficient_privilege';
END $$
"""


def upgrade() -> None:
    op.create_table(
        "forecast",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("target_day", sa.Date(), nullable=False, comment="office day"),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column(
            "known_until",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="nothing measured from here on was used",
        ),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trained_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "input_share", sa.REAL(), nullable=False, comment="share of the history that was known"
        ),
        sa.Column(
            "last_week_wape",
            sa.REAL(),
            nullable=True,
            comment="error on the last days of the history, kept back",
        ),
        sa.Column("used_temperature", sa.Boolean(), nullable=False),
        sa.Column(
            "level", sa.REAL(), nullable=False, comment="share the interval is meant to hold"
        ),
        sa.Column(
            "kw",
            postgresql.ARRAY(sa.Double()),
            nullable=False,
            comment="by quarter hour of the day",
        ),
        sa.Column("low_kw", postgresql.ARRAY(sa.Double()), nullable=False),
        sa.Column("high_kw", postgresql.ARRAY(sa.Double()), nullable=False),
        sa.CheckConstraint(
            "cardinality(kw) > 0 AND cardinality(kw) = cardinality(low_kw)"
            " AND cardinality(kw) = cardinality(high_kw)",
            name=op.f("ck_forecast_whole"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecast")),
        sa.UniqueConstraint(
            "subject",
            "target_day",
            "model",
            "known_until",
            name=op.f("uq_forecast_subject_target_day_model_known_until"),
        ),
        schema="loadmgmt",
    )
    op.create_index(
        op.f("ix_forecast_target_day"), "forecast", ["target_day"], unique=False, schema="loadmgmt"
    )
    op.create_table(
        "forecast_attempt",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "known_until",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="of attempts the one that knew most is kept",
        ),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("days_known", sa.Integer(), nullable=False),
        sa.Column("days_needed", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("subject", "model", name=op.f("pk_forecast_attempt")),
        schema="loadmgmt",
    )
    op.create_table(
        "load_history",
        sa.Column("subject", sa.String(), nullable=False, comment="system, feeder:3, point:12"),
        sa.Column(
            "ts", sa.DateTime(timezone=True), nullable=False, comment="start of the quarter hour"
        ),
        sa.Column("kw", sa.Double(), nullable=True, comment="mean load; empty where unknown"),
        sa.Column(
            "share",
            sa.REAL(),
            nullable=True,
            comment="share of the expected points that were read; empty for telemetry",
        ),
        sa.Column("source", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("subject", "ts", name=op.f("pk_load_history")),
        schema="loadmgmt",
    )
    op.create_index(
        op.f("ix_load_history_subject_source"),
        "load_history",
        ["subject", "source"],
        unique=False,
        schema="loadmgmt",
    )
    op.create_table(
        "weather_forecast",
        sa.Column("station", sa.String(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("temperature_c", sa.REAL(), nullable=False),
        sa.PrimaryKeyConstraint("station", "issued_at", "ts", name=op.f("pk_weather_forecast")),
        schema="loadmgmt",
    )
    op.create_table(
        "weather_observation",
        sa.Column("station", sa.String(), nullable=False),
        sa.Column("ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("temperature_c", sa.REAL(), nullable=False),
        sa.PrimaryKeyConstraint("station", "ts", name=op.f("pk_weather_observation")),
        schema="loadmgmt",
    )
    op.create_table(
        "forecast_accuracy",
        sa.Column("forecast_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "share", sa.REAL(), nullable=False, comment="share of the day's slots that are known"
        ),
        sa.Column("wape", sa.REAL(), nullable=True, comment="empty while too little is known"),
        sa.Column("mape", sa.REAL(), nullable=True),
        sa.Column("rmse", sa.REAL(), nullable=True, comment="kW"),
        sa.Column("peak", sa.REAL(), nullable=True, comment="highest forecast over actual, less 1"),
        sa.Column("coverage", sa.REAL(), nullable=True),
        sa.ForeignKeyConstraint(
            ["forecast_id"], ["loadmgmt.forecast.id"], name=op.f("fk_forecast_accuracy_forecast_id")
        ),
        sa.PrimaryKeyConstraint("forecast_id", name=op.f("pk_forecast_accuracy")),
        schema="loadmgmt",
    )
    op.execute(STAYS)
    op.execute(
        "CREATE TRIGGER stays BEFORE UPDATE OR DELETE ON loadmgmt.forecast"
        " FOR EACH ROW EXECUTE FUNCTION loadmgmt.refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER stays_truncate BEFORE TRUNCATE ON loadmgmt.forecast"
        " FOR EACH STATEMENT EXECUTE FUNCTION loadmgmt.refuse_change()"
    )
