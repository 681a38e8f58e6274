"""What all links of a process did, for Prometheus: summed when asked, nothing on the hot path."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from metering.modbus.breaker import BreakerState
from metering.modbus.link import Counters, Link

_NAMES = tuple(field.name for field in fields(Counters))


class LinkMetrics(Collector):
    """Register it once: `REGISTRY.register(LinkMetrics(lambda: links))`.

    Counters of links that are gone stay counted: tell of one with `gone` before it is closed.

    Args:
        links: those that stand now.
    """

    def __init__(self, links: Callable[[], Iterable[Link]]) -> None:
        self._links = links
        self._gone: Counter[str] = Counter()

    def gone(self, link: Link) -> None:
        """Keep what a link did that will be listed no more."""
        self._gone.update({name: getattr(link.counters, name) for name in _NAMES})

    def collect(self) -> Iterator[Metric]:
        """Give the sums."""
        links = list(self._links())
        happened = CounterMetricFamily(
            "gridhall_link_events", "What happened on links to terminals", labels=["what"]
        )
        for name in _NAMES:
            total = self._gone[name] + sum(getattr(link.counters, name) for link in links)
            happened.add_metric([name], total)
        yield happened
        states = Counter(state for link in links for state in link.breakers().values())
        units = GaugeMetricFamily(
            "gridhall_link_units", "Units behind links by the state of their breaker",
            labels=["state"],
        )  # fmt: skip
        for state in BreakerState:
            units.add_metric([state.value], states[state])
        yield units
        up = sum(link.is_up for link in links)
        waiting = sum(link.queued for link in links)
        yield GaugeMetricFamily("gridhall_links", "Links to terminals", value=len(links))
        yield GaugeMetricFamily("gridhall_links_up", "Links that are connected", value=up)
        yield GaugeMetricFamily("gridhall_link_queue", "Requests that wait", value=waiting)
