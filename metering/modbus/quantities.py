"""The closed list of quantities a terminal may give, their canonical units and resolutions."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType


class Group(StrEnum):
    """What quantities are read for; a plan is compiled for some of these."""

    READING = "reading"
    """What every round asks for: the columns of a reading, and the cover contact."""
    RATIO = "ratio"
    """Transformer ratios the terminal itself believes in."""
    ENERGY = "energy"
    """Further counters: totals of both directions, by phase, apparent energy."""
    TARIFF = "tariff"
    """Energy by the terminal's own tariff clock (尖峰平谷)."""
    DEMAND = "demand"
    """Power averaged over the demand period (需量)."""
    APPARENT = "apparent"
    """Apparent power, and the power factor of each phase."""
    LINE = "line"
    """Voltages between phases."""
    QUALITY = "quality"
    """Distortion of voltage and current."""
    STATE = "state"
    """Contacts and relays."""


EVERY_GROUP = frozenset(Group)


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is measured, in which unit the house keeps it, and in which steps."""

    name: str
    unit: str
    steps_per_unit: int
    """Steps of the resolution in one unit [1]: 10 means 0.1; a value is a whole number of steps."""
    three_phase_only: bool = False
    group: Group = Group.READING

    @property
    def resolution(self) -> Decimal:
        """The smallest difference kept, in the quantity's unit."""
        return Decimal(1) / self.steps_per_unit


def _three(name: str, unit: str, steps: int, group: Group = Group.READING) -> tuple[Quantity, ...]:
    """One quantity of each phase; a single-phase terminal has the first."""
    return tuple(
        Quantity(f"{name}_{phase}", unit, steps, three_phase_only=phase != "a", group=group)
        for phase in "abc"
    )


_ALL = (
    *_three("u", "V", 10),
    *_three("i", "A", 1000),
    Quantity("i_n", "A", 1000),
    Quantity("p", "W", 1),
    *_three("p", "W", 1),
    Quantity("q", "var", 1),
    *_three("q", "var", 1),
    Quantity("pf", "1", 1000),
    Quantity("f", "Hz", 100),
    Quantity("wh_import", "Wh", 1),
    Quantity("wh_export", "Wh", 1),
    Quantity("varh_import", "varh", 1),
    Quantity("cover_open", "bit", 1),
    Quantity("pt_ratio", "1", 10, group=Group.RATIO),
    Quantity("ct_ratio", "1", 10, group=Group.RATIO),
    Quantity("varh_export", "varh", 1, group=Group.ENERGY),
    Quantity("wh_total", "Wh", 1, group=Group.ENERGY),  # import and export added up (组合有功)
    Quantity("varh_total", "varh", 1, group=Group.ENERGY),
    Quantity("vah_import", "VAh", 1, group=Group.ENERGY),
    Quantity("vah_export", "VAh", 1, group=Group.ENERGY),
    *_three("wh_import", "Wh", 1, Group.ENERGY),
    *_three("wh_export", "Wh", 1, Group.ENERGY),
    Quantity("wh_total_sharp", "Wh", 1, group=Group.TARIFF),  # 尖
    Quantity("wh_total_peak", "Wh", 1, group=Group.TARIFF),  # 峰
    Quantity("wh_total_flat", "Wh", 1, group=Group.TARIFF),  # 平
    Quantity("wh_total_valley", "Wh", 1, group=Group.TARIFF),  # 谷
    Quantity("p_demand", "W", 1, group=Group.DEMAND),
    Quantity("p_demand_max", "W", 1, group=Group.DEMAND),
    Quantity("s", "VA", 1, group=Group.APPARENT),
    *_three("s", "VA", 1, Group.APPARENT),
    *_three("pf", "1", 1000, Group.APPARENT),
    Quantity("u_ab", "V", 10, three_phase_only=True, group=Group.LINE),
    Quantity("u_bc", "V", 10, three_phase_only=True, group=Group.LINE),
    Quantity("u_ca", "V", 10, three_phase_only=True, group=Group.LINE),
    *_three("thd_u", "1", 10_000, Group.QUALITY),
    *_three("thd_i", "1", 10_000, Group.QUALITY),
    Quantity("relay_closed", "bit", 1, group=Group.STATE),
)

QUANTITIES = MappingProxyType({quantity.name: quantity for quantity in _ALL})
"""Every quantity by its name; u_a to u_c are phase to neutral, u_ab to u_ca between phases."""

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
        "VA": ("VA", Decimal(1)),
        "kVA": ("VA", Decimal(1000)),
        "MVA": ("VA", Decimal(1_000_000)),
        "Wh": ("Wh", Decimal(1)),
        "kWh": ("Wh", Decimal(1000)),
        "MWh": ("Wh", Decimal(1_000_000)),
        "varh": ("varh", Decimal(1)),
        "kvarh": ("varh", Decimal(1000)),
        "Mvarh": ("varh", Decimal(1_000_000)),
        "VAh": ("VAh", Decimal(1)),
        "kVAh": ("VAh", Decimal(1000)),
        "MVAh": ("VAh", Decimal(1_000_000)),
        "1": ("1", Decimal(1)),
        "%": ("1", Decimal("0.01")),
        "Hz": ("Hz", Decimal(1)),
        "mHz": ("Hz", Decimal("0.001")),
        "bit": ("bit", Decimal(1)),
    }
)
"""Units a profile may name: the canonical unit, and how many of it one of them is."""

COUNTERS = frozenset(quantity.name for quantity in _ALL if quantity.unit in {"Wh", "varh", "VAh"})
"""Quantities that only grow, and start again at zero when their register is full."""
