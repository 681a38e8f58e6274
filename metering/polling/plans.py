"""The profiles in use, compiled; an office's own are read again when its folder changes."""

import logging
from pathlib import Path

from foundation.errors import GridhallError
from metering.modbus.plan import Plan, compile_plan
from metering.modbus.profile import Profile, office_profiles

logger = logging.getLogger(__name__)


class Plans:
    """Plans by the name of their profile.

    Args:
        data_dir: where an office's own profiles stand.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._seen = self._folder()
        self._profiles = office_profiles(data_dir)
        self._plans = {name: compile_plan(one) for name, one in self._profiles.items()}

    def get(self, name: str) -> Plan | None:
        """Give a profile's plan; None if there is no such profile."""
        return self._plans.get(name)

    def refresh(self) -> set[str]:
        """Read the profiles again if the office's folder changed; give the names that changed.

        A profile that contradicts itself changes nothing: what was read before stays in use.
        """
        now = self._folder()
        if now == self._seen:
            return set()
        self._seen = now
        try:
            profiles = office_profiles(self._data_dir)
        except GridhallError as error:
            logger.exception("profiles refused", extra={"why": str(error)})
            return set()
        changed = {
            name
            for name in profiles.keys() | self._profiles.keys()
            if profiles.get(name) != self._profiles.get(name)
        }
        self._profiles = profiles
        for name in changed:
            self._plans.pop(name, None)
            if name in profiles:
                self._plans[name] = compile_plan(profiles[name])
        return changed

    def _folder(self) -> tuple[tuple[str, int, int], ...]:
        folder = self._data_dir / "profiles"
        files = sorted(folder.glob("*.toml")) if folder.is_dir() else []
        return tuple((one.name, one.stat().st_mtime_ns, one.stat().st_size) for one in files)


def pauses_of(profiles: list[Profile]) -> tuple[int, int]:
    """Give the pauses a connection with these profiles behind it needs.

    Returns:
        Between a reply and the next request, and after connecting [ms].
    """
    return (
        max((one.min_gap_ms for one in profiles), default=0),
        max((one.connect_pause_ms for one in profiles), default=0),
    )
