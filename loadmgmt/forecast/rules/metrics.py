"""How far a forecast was off; what is unknown is left out and its share is said."""

import numpy as np

from loadmgmt.forecast.types import Errors, Floats, Prediction


def judged(prediction: Prediction, actual: Floats) -> Errors:
    """Compare a forecast with what was measured.

    Args:
        prediction: loads and interval [kW], n values.
        actual: float64[n] [kW], NaN where unknown.

    Returns:
        Errors over the known slots. WAPE is None where the actual loads add up to nothing,
        MAPE where one of them is zero, the peak where the highest is not above zero, all of
        them where nothing is known.
    """
    known = np.isfinite(actual)
    if not known.any():
        return Errors()
    y, f = actual[known], prediction.kw[known]
    off, size = np.abs(f - y), np.abs(y)
    inside = (y >= prediction.low[known]) & (y <= prediction.high[known])
    return Errors(
        wape=float(off.sum() / size.sum()) if size.sum() > 0 else None,
        mape=float((off / size).mean()) if size.min() > 0 else None,
        rmse=float(np.sqrt((off**2).mean())),
        peak=float(f.max() / y.max() - 1) if y.max() > 0 else None,
        coverage=float(inside.mean()),
        share=float(known.mean()),
    )


def widened(prediction: Prediction, factor: float) -> Prediction:
    """Stretch an interval around its forecast."""
    return Prediction(
        prediction.kw,
        prediction.kw - (prediction.kw - prediction.low) * factor,
        prediction.kw + (prediction.high - prediction.kw) * factor,
    )


def stretch(prediction: Prediction, actual: Floats, *, level: float) -> float:
    """Say by how much an interval must be stretched to have held a share of the actual loads.

    Args:
        prediction: of days kept back.
        actual: what was measured then [kW], NaN where unknown.
        level: the share [1].

    Returns:
        A factor within LEAST and MOST; 1 where nothing is known. A week says little, so one
        odd week must neither close an interval nor blow it up.
    """
    known = np.isfinite(actual)
    off = actual - prediction.kw
    reach = np.where(off >= 0, prediction.high - prediction.kw, prediction.kw - prediction.low)
    usable = known & (reach > 0)
    if not usable.any():
        return 1.0
    wanted = float(np.quantile(np.abs(off[usable]) / reach[usable], level))
    return min(max(wanted, LEAST), MOST)


LEAST, MOST = 0.5, 4.0


def merged(errors: list[Errors], actual_sums: list[float]) -> Errors:
    """Join the errors of several days: WAPE weighed by the days' loads, the rest as means."""
    weighed = [(e.wape, s) for e, s in zip(errors, actual_sums, strict=True) if e.wape is not None]
    total = sum(weight for _, weight in weighed)
    return Errors(
        wape=sum(w * s for w, s in weighed) / total if total else None,
        mape=_mean([e.mape for e in errors]),
        rmse=_mean([e.rmse for e in errors]),
        peak=_mean([None if e.peak is None else abs(e.peak) for e in errors]),
        coverage=_mean([e.coverage for e in errors]),
        share=_mean([e.share for e in errors]) or 0.0,
    )


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
