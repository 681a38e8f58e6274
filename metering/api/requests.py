"""On-demand reads (召测)."""

from metering.requests.actions import ask
from metering.requests.queries import newest_request

__all__ = ["ask", "newest_request"]
