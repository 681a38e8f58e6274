"""What can go wrong between us and a terminal: the link, the unit, or what it says."""

from foundation.errors import BadData, Unreachable


class LinkDown(Unreachable):
    """There is no connection: refused, lost, closed by us, or still backing off."""

    code = "link_down"


class NoReply(Unreachable):
    """The unit was asked over a standing connection and did not answer in time."""

    code = "no_reply"


class ExceptionReply(BadData):
    """The unit, or the gateway before it, answered with a Modbus exception.

    Source: MODBUS Application Protocol Specification V1.1b3, section 7 (exception codes).
    """

    code = "exception_reply"

    def __init__(self, exception: int, **facts: object) -> None:
        super().__init__(exception=exception, **facts)
        self.exception = exception


class GarbledReply(BadData):
    """What came back is no answer to the question; no value of it was used."""

    code = "garbled_reply"


class ProfileRefused(BadData):
    """A terminal profile contradicts itself or leaves out what it needs."""

    code = "profile_refused"
