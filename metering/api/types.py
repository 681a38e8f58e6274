"""The room's enums and frozen dataclasses alone, so that pure rules above may use them."""

from metering.devices.types import MeterCard, MeterNoTaken, PointOccupied, PollTarget
from metering.network.types import AreaClass, AreaPlace, FeederPlace, PointPlace, Supply, TreeNode
from metering.polling.types import TerminalsBack, TerminalsSilent
from metering.readings.types import (
    BATCH_CHANNEL,
    COVER_OPEN,
    SYSTEM,
    UNKNOWN,
    BatchArrays,
    CurvePoint,
    DailyEnergy,
    DayUse,
    LatestReading,
    LoadCurve,
    LoadPoint,
    Quality,
    Source,
    Subject,
    SubjectKind,
)
from metering.requests.types import NoTerminal, ReadRequestCard, RequestState

__all__ = [
    "BATCH_CHANNEL",
    "COVER_OPEN",
    "SYSTEM",
    "UNKNOWN",
    "AreaClass",
    "AreaPlace",
    "BatchArrays",
    "CurvePoint",
    "DailyEnergy",
    "DayUse",
    "FeederPlace",
    "LatestReading",
    "LoadCurve",
    "LoadPoint",
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
    "Subject",
    "SubjectKind",
    "Supply",
    "TerminalsBack",
    "TerminalsSilent",
    "TreeNode",
]
