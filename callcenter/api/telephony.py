"""The telephony door's signature, and the simulated switch that uses it."""

from callcenter.calls.queries.cards import ready_extension
from callcenter.calls.rules.signing import (
    SIGNATURE_HEADER,
    TIME_HEADER,
    check_signature,
    signature,
)
from callcenter.calls.switch_simulator import SimulatedSwitch

__all__ = [
    "SIGNATURE_HEADER",
    "TIME_HEADER",
    "SimulatedSwitch",
    "check_signature",
    "ready_extension",
    "signature",
]
