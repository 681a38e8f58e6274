"""The event list of meters: what begins is told once, ends once, and stands until then."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from metering.readings.types import NewEvent

_ROWS = (
    " FROM jsonb_to_recordset(CAST(:rows AS jsonb))"
    " AS d(meter_id int, kind text, at timestamptz, facts jsonb)"
)
_BEGIN = (
    "INSERT INTO metering.reading_event (meter_id, kind, at, ended_at, facts)"
    f" SELECT d.meter_id, d.kind, d.at, NULL, d.facts{_ROWS}"
    " ON CONFLICT (meter_id, kind) WHERE ended_at IS NULL DO NOTHING"
)
_HAPPEN = (
    "INSERT INTO metering.reading_event (meter_id, kind, at, ended_at, facts)"
    f" SELECT d.meter_id, d.kind, d.at, d.at, d.facts{_ROWS}"
)
_END = (
    "UPDATE metering.reading_event e SET ended_at = greatest(d.at, e.at)"
    f"{_ROWS} WHERE e.meter_id = d.meter_id AND e.kind = d.kind AND e.ended_at IS NULL"
)
_STATEMENTS = {"begins": text(_BEGIN), "happens": text(_HAPPEN), "ends": text(_END)}


def note_events(session: Session, events: Sequence[NewEvent]) -> None:
    """Write events down in the order of their instants.

    What begins while it already stands changes nothing, so that a process that has
    forgotten what it told may tell it again.
    """
    for move, some in _passes(sorted(events, key=lambda one: one.at)):
        rows = [
            {"meter_id": e.meter_id, "kind": e.kind, "at": e.at.isoformat(), "facts": e.facts}
            for e in some
        ]
        session.execute(_STATEMENTS[move], {"rows": json.dumps(rows, default=str)})


def _passes(events: Sequence[NewEvent]) -> Iterator[tuple[str, list[NewEvent]]]:
    """Sort into statements: in each, no meter has two events of a kind."""
    turns: Counter[tuple[int, str]] = Counter()
    passes: dict[tuple[int, str], list[NewEvent]] = {}
    for one in events:
        key = (one.meter_id, one.kind.value)
        passes.setdefault((turns[key], one.move), []).append(one)
        turns[key] += 1
    for (_, move), some in sorted(passes.items(), key=lambda item: item[0]):
        yield move, some
