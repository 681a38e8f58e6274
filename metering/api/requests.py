"""On-demand reads (召测)."""

from metering.requests.actions import ask, ask_all
from metering.requests.queries import newest_request

__all__ = ["ask", "ask_all", "newest_request"]
