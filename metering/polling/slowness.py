"""How long terminals take to answer, for Prometheus: gathered when asked, not on the hot path."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from metering.polling.fetching import Asked

QUANTILES = (0.5, 0.9, 0.99, 1.0)
SLOWEST = 10
"""Terminals that are named: a label for each of a million would be of no use to anybody."""


class Slowness(Collector):
    """Register it once: `REGISTRY.register(Slowness(lambda: asked))`.

    Args:
        asked: the terminals asked now, each with the connection it stands behind.
    """

    def __init__(self, asked: Callable[[], Iterable[tuple[str, Asked]]]) -> None:
        self._asked = asked

    def collect(self) -> Iterator[Metric]:
        """Give quantiles over the terminals that answered, and the slowest by name [s]."""
        answered = [(one.took_s, address, one) for address, one in self._asked() if one.took_s]
        quantiles = GaugeMetricFamily(
            "gridhall_terminal_reply_seconds",
            "How long a terminal takes to answer a round, over terminals",
            labels=["quantile"],
        )
        slowest = GaugeMetricFamily(
            "gridhall_terminal_slowest_seconds",
            "How long the slowest terminals take to answer a round",
            labels=["terminal"],
        )
        if answered:
            found = np.quantile([took_s for took_s, *_ in answered], QUANTILES)
            for quantile, seconds in zip(QUANTILES, found, strict=True):
                quantiles.add_metric([str(quantile)], float(seconds))
            answered.sort(key=lambda each: each[0], reverse=True)
            for took_s, address, one in answered[:SLOWEST]:
                slowest.add_metric([f"{address}/{one.target.unit}"], took_s)
        yield quantiles
        yield slowest
