"""The room's enums and frozen dataclasses alone, so that pure rules above may use them."""

from metering.devices.types import (
    MeterCard,
    MeterGone,
    MeterNoTaken,
    PointOccupied,
    PollTarget,
)
from metering.gaps.types import AreaHour, Completeness, LackingMeter, Missed
from metering.network.types import (
    AreaClass,
    AreaPlace,
    PointClass,
    PointPlace,
    Supply,
    TreeNode,
)
from metering.polling.types import (
    ConnectionRow,
    PollerRow,
    TerminalsBack,
    TerminalsSilent,
)
from metering.readings.types import (
    BATCH_CHANNEL,
    COVER_OPEN,
    UNKNOWN,
    BatchArrays,
    CurvePoint,
    DailyEnergy,
    EventKind,
    EventRow,
    HourlyEnergy,
    LatestReading,
    Quality,
    Source,
)
from metering.requests.types import NoTerminal, ReadRequestCard, RequestState

__all__ = [
    "BATCH_CHANNEL",
    "COVER_OPEN",
    "UNKNOWN",
    "AreaClass",
    "AreaHour",
    "AreaPlace",
    "BatchArrays",
    "Completeness",
    "ConnectionRow",
    "CurvePoint",
    "DailyEnergy",
    "EventKind",
    "EventRow",
    "HourlyEnergy",
    "LackingMeter",
    "LatestReading",
    "MeterCard",
    "MeterGone",
    "MeterNoTaken",
    "Missed",
    "NoTerminal",
    "PointClass",
    "PointOccupied",
    "PointPlace",
    "PollTarget",
    "PollerRow",
    "Quality",
    "ReadRequestCard",
    "RequestState",
    "Source",
    "Supply",
    "TerminalsBack",
    "TerminalsSilent",
    "TreeNode",
]
