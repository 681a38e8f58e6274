"""The room's enums and frozen dataclasses alone, so that pure rules above may use them."""

from metering.devices.types import (
    MeterCard,
    MeterNoTaken,
    PointOccupied,
    PollTarget,
    StockMeterCard,
    StockMeterTaken,
    StockMeterUnfit,
)
from metering.network.types import (
    AreaClass,
    AreaPlace,
    AreaUnknown,
    BoxCard,
    PointPlace,
    Supply,
    TreeNode,
)
from metering.polling.types import TerminalsBack, TerminalsSilent
from metering.readings.types import (
    BATCH_CHANNEL,
    COVER_OPEN,
    UNKNOWN,
    BatchArrays,
    CurvePoint,
    DailyEnergy,
    FirstReading,
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
    "AreaPlace",
    "AreaUnknown",
    "BatchArrays",
    "BoxCard",
    "CurvePoint",
    "DailyEnergy",
    "FirstReading",
    "LatestReading",
    "MeterCard",
    "MeterNoTaken",
    "NoTerminal",
    "PointOccupied",
    "PointPlace",
    "PollTarget",
    "Quality",
    "ReadRequestCard",
    "RequestState",
    "Source",
    "StockMeterCard",
    "StockMeterTaken",
    "StockMeterUnfit",
    "Supply",
    "TerminalsBack",
    "TerminalsSilent",
    "TreeNode",
]
