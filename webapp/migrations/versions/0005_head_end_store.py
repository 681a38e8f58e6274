"""Gap list, hours, events, leases of connections, service spans; sorting and dropping days."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"

ENERGY_STEP = """
CREATE FUNCTION metering.energy_step(
    before bigint, after bigint, register_wh bigint, most_wh bigint
) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN step <= most_wh OR most_wh IS NULL THEN step END FROM (
        SELECT CASE
            WHEN after >= before THEN after - before
            WHEN before >= register_wh - register_wh / 10 AND before < register_wh
                AND after < register_wh / 10 THEN after + register_wh - before
        END AS step
    ) steps
$$
"""

ENSURE_DAYS = """
CREATE OR REPLACE FUNCTION metering.ensure_reading_days(first date, last date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    day date;
    month date;
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
            -- it grows at its end alone: leave no room between
            EXECUTE format('ALTER INDEX metering.reading_%s_pkey SET (fillfactor = 100)',
                           to_char(day, 'YYYYMMDD'));
        END IF;
    END LOOP;
    FOR month IN
        SELECT generate_series(date_trunc('month', first - 1), last + 1, interval '1 month')::date
    LOOP
        IF to_regclass(format('metering.hourly_%s', to_char(month, 'YYYYMM'))) IS NULL THEN
            EXECUTE format(
                'CREATE TABLE IF NOT EXISTS metering.hourly_%s PARTITION OF metering.hourly'
                ' FOR VALUES FROM (%L) TO (%L)',
                to_char(month, 'YYYYMM'),
                month::timestamp AT TIME ZONE 'UTC',
                (month + interval '1 month')::timestamp AT TIME ZONE 'UTC'
            );
        END IF;
    END LOOP;
END $$
"""

LOCK_READINGS = """
CREATE FUNCTION metering.lock_readings() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $$
BEGIN
    -- whoever waits for this lock makes all behind it wait: ask briefly, and often
    FOR try IN 1..60 LOOP
        BEGIN
            LOCK TABLE ONLY metering.reading IN ACCESS EXCLUSIVE MODE;
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(0.5 + random());
        END;
    END LOOP;
    RAISE EXCEPTION 'the readings are never idle' USING ERRCODE = 'lock_not_available';
END $$
"""

SORT_DAY = """
CREATE FUNCTION metering.sort_reading_day(day date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part text := format('reading_%s', to_char(day, 'YYYYMMDD'));
    fresh text := part || '_sorted';
    first timestamptz := day::timestamp AT TIME ZONE 'UTC';
    last timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
    begun xid8;
    updates text;
    n bigint;
BEGIN
    IF day >= (now() AT TIME ZONE 'UTC')::date THEN
        RAISE EXCEPTION 'this day is not over' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF to_regclass('metering.' || part) IS NULL THEN
        RETURN 0;
    END IF;
    EXECUTE format(
        'CREATE TABLE metering.%I (LIKE metering.%I INCLUDING COMMENTS,'
        ' CONSTRAINT within CHECK (ts >= %L AND ts < %L))', fresh, part, first, last
    );
    begun := pg_snapshot_xmin(pg_current_snapshot());
    EXECUTE format('INSERT INTO metering.%I SELECT * FROM metering.%I ORDER BY meter_id, ts',
                   fresh, part);
    EXECUTE format('ALTER TABLE metering.%I ADD PRIMARY KEY (ts, meter_id)'
                   ' WITH (fillfactor = 100)', fresh);
    EXECUTE format('ANALYZE metering.%I', fresh);
    SELECT string_agg(format('%1$I = excluded.%1$I', attname), ', ') INTO updates
    FROM pg_attribute WHERE attrelid = 'metering.reading'::regclass
        AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('ts', 'meter_id');
    PERFORM metering.lock_readings();
    -- what was written since the copy began
    EXECUTE format(
        'INSERT INTO metering.%I SELECT * FROM metering.%I WHERE age(xmin) <= age($1::xid)'
        ' ON CONFLICT (ts, meter_id) DO UPDATE SET %s', fresh, part, updates
    ) USING begun;
    EXECUTE format('ALTER TABLE metering.reading DETACH PARTITION metering.%I', part);
    EXECUTE format('DROP TABLE metering.%I', part);
    EXECUTE format('ALTER TABLE metering.%I RENAME TO %I', fresh, part);
    EXECUTE format('ALTER INDEX metering.%I RENAME TO %I', fresh || '_pkey', part || '_pkey');
    EXECUTE format('ALTER TABLE metering.reading ATTACH PARTITION metering.%I'
                   ' FOR VALUES FROM (%L) TO (%L)', part, first, last);
    EXECUTE format('ALTER TABLE metering.%I DROP CONSTRAINT within', part);
    SELECT reltuples::bigint INTO n FROM pg_class WHERE oid = to_regclass('metering.' || part);
    INSERT INTO metering.reading_day (day, sorted_at, readings) VALUES (day, now(), n)
    ON CONFLICT ON CONSTRAINT pk_reading_day
    DO UPDATE SET sorted_at = excluded.sorted_at, readings = excluded.readings;
    RETURN n;
END $$
"""

FORGET_DAY = """
CREATE FUNCTION metering.forget_reading_day(before date) RETURNS date
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part text;
BEGIN
    IF before > (now() AT TIME ZONE 'UTC')::date - 30 THEN
        RAISE EXCEPTION 'the last thirty days are kept'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    SELECT c.relname INTO part FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'metering.reading'::regclass
        AND c.relname < format('reading_%s', to_char(before, 'YYYYMMDD'))
    ORDER BY c.relname LIMIT 1;
    IF part IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM metering.lock_readings();
    EXECUTE format('DROP TABLE metering.%I', part);
    DELETE FROM metering.reading_day d WHERE d.day = to_date(right(part, 8), 'YYYYMMDD');
    RETURN to_date(right(part, 8), 'YYYYMMDD');
END $$
"""

SHARD = "get_byte(decode(md5((((host)::text || ':'::text) || (port)::text)), 'hex'::text), 0)"

OWNERS_ONLY = ("lock_readings()", "sort_reading_day(date)", "forget_reading_day(date)")

ASKED_ALREADY = """
INSERT INTO metering.asked_span (meter_id, terminal_id, interval_s, since)
SELECT m.id, t.id, t.interval_s, now() FROM metering.meter m
JOIN metering.terminal t ON t.id = m.terminal_id
WHERE m.removed_at IS NULL AND t.in_service
"""


def upgrade() -> None:
    _tables()
    _columns()
    for function in (ENERGY_STEP, ENSURE_DAYS, LOCK_READINGS, SORT_DAY, FORGET_DAY):
        op.execute(function)
    for name in OWNERS_ONLY:
        op.execute(f"REVOKE ALL ON FUNCTION metering.{name} FROM PUBLIC")
    for table in ("reading", "latest"):  # a bit was put between: suspect, 32
        op.execute(
            f"UPDATE metering.{table} SET quality = (quality & 31) | ((quality & 224) << 1)"
            " WHERE quality >= 32"
        )
    op.execute(ASKED_ALREADY)


def _tables() -> None:
    op.create_table(
        "gap",
        sa.Column(
            "ts", sa.DateTime(timezone=True), nullable=False, comment="start of the interval"
        ),
        sa.Column("meter_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("interval_s", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("ts", "meter_id", name=op.f("pk_gap")),
        schema="metering",
    )
    op.create_table(
        "gap_mark",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "checked_to",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="intervals that ended by then are judged",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gap_mark")),
        schema="metering",
    )
    op.create_table(
        "hourly",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("meter_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "wh_first",
            sa.BigInteger(),
            nullable=True,
            comment="import register of its first reading",
        ),
        sa.Column(
            "wh_last",
            sa.BigInteger(),
            nullable=True,
            comment="of its last, the next hour's first if that is exactly at its end",
        ),
        sa.Column(
            "covered_s",
            sa.SmallInteger(),
            nullable=False,
            comment="seconds of it that used_wh covers; 3600 is all",
        ),
        sa.Column("points", sa.SmallInteger(), nullable=False, comment="readings in it"),
        sa.Column(
            "late", sa.SmallInteger(), nullable=False, comment="of them read late or from memory"
        ),
        sa.Column("estimated", sa.SmallInteger(), nullable=False, comment="of them"),
        sa.Column(
            "resets",
            sa.SmallInteger(),
            nullable=False,
            comment="steps not counted: register reset, or faster than the meter could",
        ),
        sa.Column("used_wh", sa.BigInteger(), nullable=True),
        sa.Column("exported_wh", sa.BigInteger(), nullable=True),
        sa.Column("p_avg", sa.REAL(), nullable=True),
        sa.Column("p_max", sa.REAL(), nullable=True),
        sa.Column("u_min", sa.REAL(), nullable=True),
        sa.Column("u_avg", sa.REAL(), nullable=True),
        sa.Column("u_max", sa.REAL(), nullable=True),
        sa.PrimaryKeyConstraint("hour", "meter_id", name=op.f("pk_hourly")),
        schema="metering",
        postgresql_partition_by="RANGE (hour)",
    )
    op.create_table(
        "poll_missed",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("address", sa.String(), nullable=False, comment="host:port"),
        sa.Column("why", sa.String(), nullable=False, comment="busy or held"),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", "address", "why", name=op.f("pk_poll_missed")),
        schema="metering",
    )
    op.create_table(
        "poll_parcel",
        sa.Column("worker", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("worker", name=op.f("pk_poll_parcel")),
        schema="metering",
    )
    op.create_table(
        "poll_shard",
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("shard", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.Uuid(), nullable=True, comment="poll_worker; empty: handed back"),
        sa.Column(
            "epoch",
            sa.Integer(),
            nullable=False,
            comment="one more with every new owner: the fence",
        ),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "last_slot",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="rounds planned up to this instant were begun",
        ),
        sa.PrimaryKeyConstraint("site", "shard", name=op.f("pk_poll_shard")),
        schema="metering",
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "poll_worker",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False, comment="host and process number"),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("live_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("terminals", sa.Integer(), nullable=False),
        sa.Column("spool_bytes", sa.BigInteger(), nullable=False),
        sa.Column(
            "spool_since",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="oldest slot of a reading it has not stored yet",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_poll_worker")),
        schema="metering",
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "reading_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("sorted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("readings", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_reading_day")),
        schema="metering",
    )
    op.create_table(
        "reading_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("meter_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "ended_at", sa.DateTime(timezone=True), nullable=True, comment="empty while it lasts"
        ),
        sa.Column("facts", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading_event")),
        schema="metering",
    )
    op.create_index(
        op.f("ix_reading_event_at"), "reading_event", ["at"], unique=False, schema="metering"
    )
    op.create_index(
        op.f("ix_reading_event_meter_id_at"),
        "reading_event",
        ["meter_id", "at"],
        unique=False,
        schema="metering",
    )
    op.create_index(
        "uq_reading_event_open",
        "reading_event",
        ["meter_id", "kind"],
        unique=True,
        schema="metering",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "rollup_due",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("meter_ids", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollup_due")),
        schema="metering",
    )
    op.create_index(
        op.f("ix_rollup_due_hour"), "rollup_due", ["hour"], unique=False, schema="metering"
    )
    op.create_table(
        "rollup_mark",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "rolled_to",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="end of the last hour added up",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollup_mark")),
        schema="metering",
    )
    op.create_table(
        "asked_span",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("meter_id", sa.BigInteger(), nullable=False),
        sa.Column("terminal_id", sa.BigInteger(), nullable=False),
        sa.Column("interval_s", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["meter_id"], ["metering.meter.id"], name=op.f("fk_asked_span_meter_id")
        ),
        sa.ForeignKeyConstraint(
            ["terminal_id"], ["metering.terminal.id"], name=op.f("fk_asked_span_terminal_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asked_span")),
        schema="metering",
    )
    op.create_index(
        op.f("ix_asked_span_meter_id_since"),
        "asked_span",
        ["meter_id", "since"],
        unique=False,
        schema="metering",
    )
    op.create_index(
        op.f("ix_asked_span_until_since"),
        "asked_span",
        ["until", "since"],
        unique=False,
        schema="metering",
    )
    op.create_index(
        "uq_asked_span_open",
        "asked_span",
        ["meter_id"],
        unique=True,
        schema="metering",
        postgresql_where=sa.text("until IS NULL"),
    )


def _columns() -> None:
    op.add_column(
        "daily",
        sa.Column(
            "covered_s", sa.Integer(), nullable=True, comment="seconds of it that used_wh covers"
        ),
        schema="metering",
    )
    op.add_column(
        "daily",
        sa.Column("late", sa.Integer(), nullable=True, comment="of them"),
        schema="metering",
    )
    op.add_column(
        "daily",
        sa.Column("estimated", sa.Integer(), nullable=True, comment="of them"),
        schema="metering",
    )
    op.add_column(
        "daily",
        sa.Column("resets", sa.Integer(), nullable=True, comment="steps not counted"),
        schema="metering",
    )
    op.add_column(
        "daily", sa.Column("exported_wh", sa.BigInteger(), nullable=True), schema="metering"
    )
    op.add_column("daily", sa.Column("p_avg", sa.REAL(), nullable=True), schema="metering")
    op.add_column("daily", sa.Column("u_avg", sa.REAL(), nullable=True), schema="metering")
    op.add_column(
        "meter",
        sa.Column(
            "start_wh",
            sa.BigInteger(),
            nullable=True,
            comment="import register when it was fitted [Wh, primary] (装表示数)",
        ),
        schema="metering",
    )
    op.add_column(
        "meter",
        sa.Column(
            "end_wh",
            sa.BigInteger(),
            nullable=True,
            comment="import register when it was removed [Wh, primary] (拆表示数)",
        ),
        schema="metering",
    )
    op.add_column(
        "meter",
        sa.Column(
            "register_wh",
            sa.BigInteger(),
            nullable=True,
            comment="its registers go back to zero here [Wh, primary]; empty: never seen",
        ),
        schema="metering",
    )
    op.add_column(
        "point",
        sa.Column(
            "point_class",
            sa.String(40),
            nullable=False,
            server_default="low_voltage",
            comment="decides how often it is read",
        ),
        schema="metering",
    )
    op.add_column(
        "terminal",
        sa.Column(
            "own_interval",
            sa.Boolean(),
            nullable=False,
            server_default=sa.true(),
            comment="false: the interval follows the class of its meter's point",
        ),
        schema="metering",
    )
    op.add_column(
        "terminal",
        sa.Column(
            "site",
            sa.String(),
            nullable=False,
            server_default="",
            comment="only pollers of this site may ask it",
        ),
        schema="metering",
    )
    op.add_column(
        "terminal",
        sa.Column(
            "shard",
            sa.Integer(),
            sa.Computed(
                SHARD,
                persisted=True,
            ),
            nullable=False,
            comment="of its connection, 0 to 255",
        ),
        schema="metering",
    )
    op.create_index(
        op.f("ix_terminal_site_shard"),
        "terminal",
        ["site", "shard"],
        unique=False,
        schema="metering",
    )
    op.drop_column("terminal", "last_ok_at", schema="metering")
    op.alter_column("daily", "points", type_=sa.Integer(), schema="metering")
    op.execute("UPDATE metering.point SET point_class = 'special' WHERE supply = 'three_10kv'")
    for table, column in (
        ("point", "point_class"),
        ("terminal", "own_interval"),
        ("terminal", "site"),
    ):
        op.alter_column(table, column, server_default=None, schema="metering")
