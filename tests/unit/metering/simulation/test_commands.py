"""Orders to the simulator: what each takes, and what is told of one that is refused."""

from typing import Any

import pytest

from foundation.errors import GridhallError
from foundation.office import Office
from foundation.settings import settings
from metering.modbus.simulated_faults import TAKES, FaultKind
from metering.modbus.simulated_unit import FleetRefused
from metering.modbus.simulator_orders import OrderRefused
from metering.simulation import actions, commands


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
    monkeypatch.setattr(actions, "order_now", lambda *_words, **_facts: dict(answer))
    with pytest.raises(kind) as caught:
        actions.order_simulator(Office(settings(), ""), "reload")
    assert facts.items() <= caught.value.facts.items()


def test_every_order_has_the_options_it_takes() -> None:
    for kind in FaultKind:
        options = {one.name for one in commands.simulate.commands[kind.value].params}
        assert options == {"target", "duration_s", *TAKES.get(kind, ())}
