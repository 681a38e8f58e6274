"""Looking at a live device, for whoever writes or verifies its profile."""

from metering.modbus.frames import check_frames, read_frames
from metering.modbus.place import Place
from metering.modbus.probe import Probed, guesses, peek, probe
from metering.modbus.profile import load_profiles, office_profiles, read_profile

__all__ = [
    "Place",
    "Probed",
    "check_frames",
    "guesses",
    "load_profiles",
    "office_profiles",
    "peek",
    "probe",
    "read_frames",
    "read_profile",
]
