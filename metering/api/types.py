"""The room's enums and frozen dataclasses alone, so that pure rules above may use them."""

from metering.devices.types import MeterCard, MeterNoTaken, PointOccupied, PollTarget
from metering.network.types import AreaClass, AreaPlace, PointPlace, Supply, TreeNode
from metering.polling.types import TerminalsBack, TerminalsSilent
from metering.readings.types import (
    BATCH_CHANNEL,
    COVER_OPEN,
    UNKNOWN,
    BatchArrays,
    CurvePoint,
    DailyEnergy,
    LatestReading,
    Quality,
    Source,
)
from metering.requests.types import (
    Check,
    Checked,
    NewWrite,
    NoTerminal,
    ReadRequestCard,
    RequestState,
    Switch,
    WriteCard,
    WriteState,
    WritesVerified,
)

__all__ = [
    "BATCH_CHANNEL",
    "COVER_OPEN",
    "UNKNOWN",
    "AreaClass",
    "AreaPlace",
    "BatchArrays",
    "Check",
    "Checked",
    "CurvePoint",
    "DailyEnergy",
    "LatestReading",
    "MeterCard",
    "MeterNoTaken",
    "NewWrite",
    "NoTerminal",
    "PointOccupied",
    "PointPlace",
    "PollTarget",
    "Quality",
    "ReadRequestCard",
    "RequestState",
    "Source",
    "Supply",
    "Switch",
    "TerminalsBack",
    "TerminalsSilent",
    "TreeNode",
    "WriteCard",
    "WriteState",
    "WritesVerified",
]
