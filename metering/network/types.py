"""Where a meter hangs, as others see it."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from foundation.errors import NotFound


class Supply(StrEnum):
    """How a point is supplied; decides its nominal voltage and its permitted band."""

    SINGLE_220 = "single_220"  # 单相 220 V
    THREE_380 = "three_380"  # 三相 380/220 V
    THREE_10KV = "three_10kv"  # 三相 10 kV, 高供高计

    @property
    def phases(self) -> tuple[str, ...]:
        """Give the phases that exist."""
        return ("a",) if self is Supply.SINGLE_220 else ("a", "b", "c")

    @property
    def nominal_volts(self) -> Decimal:
        """Give the nominal phase-to-neutral voltage [V]; 10 kV line voltage over root three."""
        return Decimal("5773.5") if self is Supply.THREE_10KV else Decimal(220)


class PointClass(StrEnum):
    """What a point is read for; decides how often, where its terminal does not say otherwise."""

    LOAD_CONTROL = "load_control"  # 负控
    SPECIAL = "special"  # 专变
    AREA = "area"  # 台区总表
    LOW_VOLTAGE = "low_voltage"  # 低压

    @classmethod
    def of(cls, supply: Supply) -> "PointClass":
        """Give the class of a point nobody has classed."""
        return cls.SPECIAL if supply is Supply.THREE_10KV else cls.LOW_VOLTAGE


class AreaClass(StrEnum):
    """城乡类别: decides how soon a crew must be there."""

    URBAN = "urban"  # 城区
    RURAL = "rural"  # 农村
    REMOTE = "remote"  # 特殊边远


class AreaUnknown(NotFound):
    """No transformer area has this number; facts: area_no."""

    code = "area_unknown"


@dataclass(frozen=True, slots=True)
class BoxCard:
    """A meter box (表箱) and how many points it holds."""

    box_no: str
    points: int


@dataclass(frozen=True, slots=True)
class PointPlace:
    """A metering point with everything above it."""

    point_id: int
    point_no: str
    supply: Supply
    box_no: str
    area_id: int
    area_no: str
    area_name: str
    area_class: AreaClass
    feeder_id: int
    feeder_no: str
    feeder_name: str
    substation_name: str
    unit_id: int


@dataclass(frozen=True, slots=True)
class AreaPlace:
    """A transformer area (台区) with everything above it."""

    area_id: int
    area_no: str
    area_name: str
    area_class: AreaClass
    feeder_id: int
    feeder_no: str
    feeder_name: str
    substation_name: str
    unit_id: int
    points: int


@dataclass(frozen=True, slots=True)
class FeederPlace:
    """A feeder (线路) with its substation."""

    feeder_id: int
    feeder_no: str
    feeder_name: str
    substation_name: str
    unit_id: int


@dataclass(frozen=True, slots=True)
class TreeNode:
    """One node of the network tree: substation, feeder, transformer area."""

    key: str
    kind: str
    name: str
    parent: str | None
    points: int
