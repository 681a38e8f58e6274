"""Lists of devices (spreadsheets): sent, looked at row by row, written if confirmed."""

from metering.devices.importing import (
    import_card,
    import_cards,
    look_over,
    send_list,
    write_list,
)
from metering.devices.listing import load_listing
from metering.devices.profiles import ProfileCard, profile_cards

__all__ = [
    "ProfileCard",
    "import_card",
    "import_cards",
    "load_listing",
    "look_over",
    "profile_cards",
    "send_list",
    "write_list",
]
