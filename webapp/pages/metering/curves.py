"""The curve of a meter's day, for the console and the meter page."""

from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from foundation import clock
from loadmgmt.api.alerts import load_thresholds
from metering.api.readings import day_curve
from metering.api.types import MeterCard
from webapp.charts import Band, Chart, Line, line_chart, voltage_chart
from webapp.context import t

CURVES = ("voltage", "current", "power")
QUARTER = timedelta(minutes=15)


def day_of(text: str) -> date:
    """Read a day from an address; today if it is none, or lies ahead."""
    today = clock.business_date()
    try:
        return min(today, date.fromisoformat(text))
    except ValueError:
        return today


def band_of(meter: MeterCard) -> Band:
    """Give the permitted voltage of a meter's supply."""
    band = load_thresholds().band[meter.supply.value]
    nominal = float(meter.supply.nominal_volts)
    return Band(
        low=nominal * (1 + float(band.low)),
        high=nominal * (1 + float(band.high)),
        low_text=f"−{abs(band.low):.0%}",
        high_text=f"+{band.high:.0%}",
    )


def day_chart(session: Session, meter: MeterCard, curve: str, day_text: str) -> Chart:
    """Draw one day of a meter.

    Args:
        session: any.
        meter: whose day.
        curve: one of CURVES.
        day_text: ISO date; anything else is today.
    """
    day = day_of(day_text)
    span = clock.day_span(day)
    points = day_curve(session, meter.meter_id, day)
    zone = clock.office_zone()
    now = clock.now() if day == clock.business_date() else None
    phases = meter.supply.phases

    def drawn(name: str) -> list[tuple[datetime, float | None]]:
        return [(_drawn_at(one.start, now), getattr(one, name)) for one in points]

    if curve == "voltage":
        return voltage_chart(
            {p: drawn(f"u_{p}") for p in phases},
            band=band_of(meter),
            nominal=float(meter.supply.nominal_volts),
            span=span,
            zone=zone,
            t=t,
            now=now,
            step=QUARTER,
        )
    if curve == "current":
        lines = [
            Line(
                t("chart.phase", phase=p.upper()) if len(phases) > 1 else t("chart.current"),
                drawn(f"i_{p}"),
                role="plain" if len(phases) > 1 else "main",
                color=f"ph{p}" if len(phases) > 1 else "c1",
            )
            for p in phases
        ]
        return line_chart(lines, unit="A", span=span, zone=zone, t=t, now=now, step=QUARTER)
    power = [(at, None if p is None else p / 1000) for at, p in drawn("p")]
    return line_chart(
        [Line(t("chart.power"), power)],
        unit="kW",
        span=span,
        zone=zone,
        t=t,
        now=now,
        step=QUARTER,
    )


def _drawn_at(start: datetime, now: datetime | None) -> datetime:
    """Say where an interval's value stands: at its end, or now while it goes on."""
    end = start + QUARTER
    return end if now is None else min(end, now)
