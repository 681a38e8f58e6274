"""The shelf of profiles (规约库): the packaged and the office's own; trying one on a device."""

from metering.modbus.link import TlsFiles
from metering.profiles.actions import add_profile, save_profile, take_over, try_profile
from metering.profiles.queries import (
    earlier_text,
    free_name,
    new_text,
    profile_rows,
    profile_text,
)
from metering.profiles.rules import name_in
from metering.profiles.types import FRAMINGS

__all__ = [
    "FRAMINGS",
    "TlsFiles",
    "add_profile",
    "earlier_text",
    "free_name",
    "name_in",
    "new_text",
    "profile_rows",
    "profile_text",
    "save_profile",
    "take_over",
    "try_profile",
]
