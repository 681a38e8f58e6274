"""Units behind one link: who fails, who rests, and who may be tried again.

A unit that never answers costs its neighbours a whole timeout each time it is asked. After some
failures in a row it rests; then one request tries it again, and it rests longer or is well.
"""

import random
from enum import StrEnum

OPEN_AFTER = 3
"""Failures in a row after which a unit rests."""
FIRST_REST_S = 10.0
LONGEST_REST_S = 120.0


class BreakerState(StrEnum):
    """How a unit stands."""

    CLOSED = "closed"
    """It is asked as ever."""
    OPEN = "open"
    """It rests."""
    HALF_OPEN = "half_open"
    """One request is trying it."""


class Unit:
    """One unit behind a link.

    Attributes:
        failures: in a row, since it last answered.
        slowest_s: the slowest reply it gave, fading by a hundredth with each faster one [s].
    """

    __slots__ = ("_is_tried", "_rest_s", "_rests_until", "failures", "number", "slowest_s")

    def __init__(self, number: int) -> None:
        self.number = number
        self.failures = 0
        self.slowest_s = 0.0
        self._rest_s = FIRST_REST_S
        self._rests_until = 0.0
        self._is_tried = False

    def state(self, now: float) -> BreakerState:
        """How it stands at a time of the loop's clock [s]."""
        if self.failures < OPEN_AFTER:
            return BreakerState.CLOSED
        is_tried = self._is_tried or now >= self._rests_until
        return BreakerState.HALF_OPEN if is_tried else BreakerState.OPEN

    def may_be_asked(self, now: float) -> bool:
        """Whether it is not resting; of those who may try it again, the first one only."""
        if self.failures < OPEN_AFTER:
            return True
        if self._is_tried or now < self._rests_until:
            return False
        self._is_tried = True
        return True

    def rests_for_s(self, now: float) -> float:
        """How long it rests yet [s]."""
        return max(0.0, self._rests_until - now)

    def answered(self, after_s: float) -> None:
        """It gave a reply, or an exception of its own."""
        self.failures = 0
        self._is_tried = False
        self._rest_s = FIRST_REST_S
        self.slowest_s = max(after_s, 0.99 * self.slowest_s)

    def failed(self, now: float) -> None:
        """It gave nothing usable; once it has done so too often it rests, longer each time.

        The rest is drawn between half and all of its length, so that units that died together
        are not tried together.
        """
        self.failures += 1
        self._is_tried = False
        if self.failures >= OPEN_AFTER:
            self._rests_until = now + random.uniform(self._rest_s / 2, self._rest_s)  # noqa: S311  no secret
            self._rest_s = min(LONGEST_REST_S, 2 * self._rest_s)

    def let_go(self) -> None:
        """Whoever tried it gave up, or never came to ask."""
        self._is_tried = False
