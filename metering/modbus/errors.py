"""What can go wrong between us and a terminal: the link, the unit, or what it says."""

from foundation.errors import BadData, Unreachable


class LinkDown(Unreachable):
    """There is no connection: refused, lost, closed by us, or still backing off."""

    code = "link_down"


class NoReply(Unreachable):
    """The unit was asked over a standing connection and did not answer in time."""

    code = "no_reply"


class NotSent(Unreachable):
    """A request never left: whatever it would have done was not done."""

    code = "not_sent"


class UnitResting(NotSent):
    """The unit failed so often that its neighbours behind the same link are not kept waiting."""

    code = "unit_resting"


class LookTooLong(Unreachable):
    """A device answers, but too slowly to be looked at in one go; facts: seconds."""

    code = "look_too_long"


GATEWAY_PATH, GATEWAY_TARGET = 0x0A, 0x0B
"""Said by a gateway of a unit it cannot reach or that does not answer it."""


class ExceptionReply(BadData):
    """The unit, or the gateway before it, answered with a Modbus exception.

    Source: MODBUS Application Protocol Specification V1.1b3, section 7 (exception codes).
    """

    code = "exception_reply"

    def __init__(self, exception: int, **facts: object) -> None:
        super().__init__(exception=exception, **facts)
        self.exception = exception

    @property
    def is_of_gateway(self) -> bool:
        """Whether the gateway speaks for a unit that it did not reach: the unit is dead."""
        return self.exception in {GATEWAY_PATH, GATEWAY_TARGET}


class GarbledReply(BadData):
    """What came back is no answer to the question; no value of it was used."""

    code = "garbled_reply"


class ProfileRefused(BadData):
    """A terminal profile contradicts itself or leaves out what it needs."""

    code = "profile_refused"
