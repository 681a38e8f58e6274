"""What is counted of gaps, for Prometheus."""

from prometheus_client import Gauge

GAPS_OPEN = Gauge("gridhall_gaps_open", "Intervals without a reading on the gap list")
