"""How what an environment variable says is read.

Each raises KeyError or ValueError for what it cannot read.
"""

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

KEY_BYTES = 32


def flag(raw: str) -> bool:
    """Read yes or no."""
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    return words[raw.strip().lower()]


def networks(raw: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Read networks, one after the other."""
    return tuple(ip_network(word) for word in raw.replace(",", " ").split())


def one_of(*words: str) -> Callable[[str], str]:
    """Give a reader of one of several words."""

    def read(raw: str) -> str:
        return {word: word for word in words}[raw.strip().lower()]

    return read


def folder(raw: str) -> Path:
    """Read a path."""
    return Path(raw).expanduser().resolve()


def file_or_none(raw: str) -> Path | None:
    """Read a path that may be left out."""
    return folder(raw) if raw else None


def key(raw: str) -> str:
    """Read a key: 64 hexadecimal digits."""
    if len(bytes.fromhex(raw)) != KEY_BYTES:
        raise ValueError("not 64 hexadecimal digits")
    return raw


def zone(raw: str) -> ZoneInfo:
    """Read the name of a time zone."""
    try:
        return ZoneInfo(raw)
    except ZoneInfoNotFoundError as error:
        raise ValueError(raw) from error
