"""When a lost connection is tried again: full jitter, so that a fleet does not come at once.

Source: the "full jitter" scheme; three hundred clients doubling their delays without jitter made
their attempts in a tenth of the time slots.
"""

import random

BACKOFF_FIRST_S = 0.25
BACKOFF_LIMIT_S = 30.0
_MOST_DOUBLINGS = 16


class Reconnect:
    """How long to hold back: anything from nothing to a limit that doubles with each failure.

    Attributes:
        at: not before this time of the loop's clock [s].
        failures: in a row, without an answer between them.
    """

    __slots__ = ("at", "failures")

    def __init__(self) -> None:
        self.at = 0.0
        self.failures = 0

    def hold_back(self, now: float) -> None:
        """A connection failed, or was of no use."""
        limit_s = BACKOFF_FIRST_S * 2.0 ** min(self.failures, _MOST_DOUBLINGS)
        self.failures += 1
        self.at = now + random.uniform(0, min(BACKOFF_LIMIT_S, limit_s))  # noqa: S311  no secret
