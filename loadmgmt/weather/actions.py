"""Taking weather in."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from foundation.actor import Actor
from foundation.audit import Act, record
from loadmgmt.weather.models import WeatherForecast, WeatherObservation
from loadmgmt.weather.types import NewWeather, WeatherTaken

WEATHER_TAKEN = Act.of("weather.taken", "file", "observations", "forecasts")
_AT_ONCE = 5000


def take_weather(
    session: Session, actor: Actor, rows: Sequence[NewWeather], *, file: str
) -> WeatherTaken:
    """Store observations and forecasts; taking the same file twice changes nothing.

    An observation that is told again replaces the one before it: stations correct
    themselves. A forecast stays as it was issued.

    Args:
        session: the caller's transaction.
        actor: who takes it.
        rows: as read.
        file: where they come from, for the audit.
    """
    observed = [_observation(row) for row in rows if row.issued_at is None]
    issued = [_forecast(row) for row in rows if row.issued_at is not None]
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('loadmgmt.weather'))"))
    changed = 0
    for at in range(0, len(observed), _AT_ONCE):
        statement = insert(WeatherObservation).values(_last_of_each(observed[at : at + _AT_ONCE]))
        new = statement.excluded.temperature_c
        statement = statement.on_conflict_do_update(
            index_elements=["station", "ts"],
            set_={"temperature_c": new},
            where=WeatherObservation.temperature_c.is_distinct_from(new),
        )
        changed += len(session.execute(statement.returning(WeatherObservation.ts)).all())
    added = 0
    for at in range(0, len(issued), _AT_ONCE):
        forecast = insert(WeatherForecast).values(issued[at : at + _AT_ONCE])
        forecast = forecast.on_conflict_do_nothing()
        added += len(session.execute(forecast.returning(WeatherForecast.ts)).all())
    taken = WeatherTaken(changed, added)
    record(
        session,
        actor,
        WEATHER_TAKEN,
        subject=("weather", file),
        file=file,
        observations=changed,
        forecasts=added,
    )
    return taken


def _observation(row: NewWeather) -> dict[str, object]:
    return {"station": row.station, "ts": row.at, "temperature_c": row.temperature_c}


def _forecast(row: NewWeather) -> dict[str, object]:
    return _observation(row) | {"issued_at": row.issued_at}


def _last_of_each(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return list({(row["station"], row["ts"]): row for row in rows}.values())
