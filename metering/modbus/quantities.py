"""The closed list of quantities a terminal may give, their canonical units and resolutions."""

from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is measured, in which unit the house keeps it, and in which steps."""

    name: str
    unit: str
    steps_per_unit: int
    """Steps of the resolution in one unit [1]: 10 means 0.1; a value is a whole number of steps."""
    three_phase_only: bool = False

    @property
    def resolution(self) -> Decimal:
        """The smallest difference kept, in the quantity's unit."""
        return Decimal(1) / self.steps_per_unit


_ALL = (
    Quantity("u_a", "V", 10),
    Quantity("u_b", "V", 10, three_phase_only=True),
    Quantity("u_c", "V", 10, three_phase_only=True),
    Quantity("i_a", "A", 1000),
    Quantity("i_b", "A", 1000, three_phase_only=True),
    Quantity("i_c", "A", 1000, three_phase_only=True),
    Quantity("i_n", "A", 1000),
    Quantity("p", "W", 1),
    Quantity("p_a", "W", 1),
    Quantity("p_b", "W", 1, three_phase_only=True),
    Quantity("p_c", "W", 1, three_phase_only=True),
    Quantity("q", "var", 1),
    Quantity("q_a", "var", 1),
    Quantity("q_b", "var", 1, three_phase_only=True),
    Quantity("q_c", "var", 1, three_phase_only=True),
    Quantity("pf", "1", 1000),
    Quantity("f", "Hz", 100),
    Quantity("wh_import", "Wh", 1),
    Quantity("wh_export", "Wh", 1),
    Quantity("varh_import", "varh", 1),
    Quantity("cover_open", "bit", 1),
)

QUANTITIES = MappingProxyType({quantity.name: quantity for quantity in _ALL})
"""Every quantity by its name; voltages are phase to neutral."""

UNITS = MappingProxyType(
    {
        "mV": ("V", Decimal("0.001")),
        "V": ("V", Decimal(1)),
        "kV": ("V", Decimal(1000)),
        "mA": ("A", Decimal("0.001")),
        "A": ("A", Decimal(1)),
        "kA": ("A", Decimal(1000)),
        "W": ("W", Decimal(1)),
        "kW": ("W", Decimal(1000)),
        "MW": ("W", Decimal(1_000_000)),
        "var": ("var", Decimal(1)),
        "kvar": ("var", Decimal(1000)),
        "Mvar": ("var", Decimal(1_000_000)),
        "Wh": ("Wh", Decimal(1)),
        "kWh": ("Wh", Decimal(1000)),
        "MWh": ("Wh", Decimal(1_000_000)),
        "varh": ("varh", Decimal(1)),
        "kvarh": ("varh", Decimal(1000)),
        "Mvarh": ("varh", Decimal(1_000_000)),
        "1": ("1", Decimal(1)),
        "%": ("1", Decimal("0.01")),
        "Hz": ("Hz", Decimal(1)),
        "mHz": ("Hz", Decimal("0.001")),
        "bit": ("bit", Decimal(1)),
    }
)
"""Units a profile may name: the canonical unit, and how many of it one of them is."""
