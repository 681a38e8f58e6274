"""What an operator is told of orders the simulator refuses."""

from typing import Any

import pytest

from foundation.errors import GridhallError
from metering.modbus.simulated_unit import FleetRefused
from metering.modbus.simulator_orders import OrderRefused
from metering.simulation import commands


@pytest.mark.parametrize(
    ("error", "facts", "kind"),
    [
        ("no_such_target", {"target": "M-1"}, OrderRefused),
        (FleetRefused.code, {"meter": "M-1", "why": "two meters have this number"}, FleetRefused),
    ],
)
def test_a_refusal_keeps_its_kind_and_its_facts(
    monkeypatch: pytest.MonkeyPatch, error: str, facts: dict[str, Any], kind: type[GridhallError]
) -> None:
    answer = {"ok": False, "error": error, "facts": facts}
    monkeypatch.setattr(commands, "order_simulator", lambda *_words, **_facts: dict(answer))
    with pytest.raises(kind) as caught:
        commands._ordered(None, "reload")  # type: ignore[arg-type]
    assert facts.items() <= caught.value.facts.items()
