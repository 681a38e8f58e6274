"""On-demand reads (召测), and what was answered as it came."""

from metering.requests.actions import ask
from metering.requests.queries import newest_raw, newest_request
from metering.requests.raw import RawPoint, raw_points

__all__ = ["RawPoint", "ask", "newest_raw", "newest_request", "raw_points"]
