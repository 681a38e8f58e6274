"""Which profiles an office knows, as lists and forms show them."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from metering.modbus.profile import office_profiles


@dataclass(frozen=True, slots=True)
class ProfileCard:
    """A profile in short.

    Attributes:
        phases: 1 or 3.
        memory: periods of which its terminals keep a frozen register: day, month, hour, quarter.
    """

    name: str
    title_zh: str
    title_en: str
    phases: int
    memory: tuple[str, ...]


def profile_cards(data_dir: Path) -> dict[str, ProfileCard]:
    """Give the packaged profiles and the office's own, by name.

    Args:
        data_dir: the office's data folder; a change in its profiles is seen at once.
    """
    own = data_dir / "profiles"
    found = sorted(own.glob("*.toml")) if own.is_dir() else []
    return _cards(data_dir, tuple((path.name, path.stat().st_mtime_ns) for path in found))


@lru_cache(maxsize=4)
def _cards(data_dir: Path, state: tuple[tuple[str, int], ...]) -> dict[str, ProfileCard]:
    del state
    return {
        one.name: ProfileCard(
            one.name,
            one.title_zh,
            one.title_en,
            one.phases,
            tuple(freeze.every for freeze in one.freezes),
        )
        for one in office_profiles(data_dir).values()
    }
