"""Terminal profiles: what a model's registers mean, read from TOML and checked."""

import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from foundation.datafiles import DataFileRefused, build, load_toml
from metering.modbus.errors import ProfileRefused
from metering.modbus.profile_check import wrongs
from metering.modbus.profile_parts import (
    BIT_FUNCTIONS,
    REGISTERS,
    Order,
    Point,
    PointType,
    Profile,
    Span,
    Variant,
)
from metering.modbus.profile_variants import extend

__all__ = [
    "BIT_FUNCTIONS",
    "REGISTERS",
    "Order",
    "Point",
    "PointType",
    "Profile",
    "Span",
    "check",
    "load_profiles",
    "office_profiles",
    "parse_profile",
    "profile_content",
    "profile_files",
    "read_profile",
]

FRAMES = ".frames.toml"


def load_profiles(*folders: Path | Traversable) -> dict[str, Profile]:
    """Read and check the packaged profiles and those of an office's own folders, by name.

    Raises:
        ProfileRefused: one contradicts itself, two share a name, or one extends what is not there.
        DataFileRefused: one is no valid TOML, has an unknown key or names no source.
    """
    found: dict[str, Path | Traversable] = {}
    for folder in (files("metering.profiles"), *folders):
        for path in profile_files(folder):
            name = path.name.removesuffix(".toml")
            if name in found:
                raise ProfileRefused(profile=name, why="two profiles have this name")
            found[name] = path
    contents = {name: load_toml(path) for name, path in found.items()}
    profiles = {
        name: _whole(content, name) for name, content in contents.items() if not _extends(content)
    }
    for name, content in contents.items():
        if _extends(content):
            profiles[name] = _variant(content, name, profiles, contents)
    return dict(sorted(profiles.items()))


def office_profiles(data_dir: Path) -> dict[str, Profile]:
    """Read the packaged profiles and, where there is such a folder, the office's own.

    Raises:
        ProfileRefused: one of them contradicts itself; facts: file, why.
    """
    own = data_dir / "profiles"
    return load_profiles(own) if own.is_dir() else load_profiles()


def read_profile(path: Path | Traversable, known: Mapping[str, Profile] | None = None) -> Profile:
    """Read and check one profile; its name must be the file's name.

    Args:
        path: the file.
        known: the profiles it may extend; None is the packaged ones.

    Raises:
        ProfileRefused: it contradicts itself.
        DataFileRefused: it is no valid TOML, has an unknown key or names no source.
    """
    content, name = load_toml(path), path.name.removesuffix(".toml")
    if not _extends(content):
        return _whole(content, name)
    return _variant(content, name, load_profiles() if known is None else known, {})


def parse_profile(name: str, text: str, known: Mapping[str, Profile]) -> Profile:
    """Check a profile somebody is writing.

    Args:
        name: what its file is or will be called.
        text: its TOML.
        known: the profiles it may extend.

    Raises:
        ProfileRefused: it contradicts itself.
        DataFileRefused: it is no valid TOML, has an unknown key or names no source.
    """
    content = profile_content(name, text)
    return _variant(content, name, known, {}) if _extends(content) else _whole(content, name)


def profile_content(name: str, text: str) -> dict[str, Any]:
    """Read the TOML of a profile, nothing of it checked but that it names a source.

    Raises:
        DataFileRefused: it is no valid TOML, or names no source.
    """
    try:
        content = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise DataFileRefused(file=f"{name}.toml", why=str(error)) from error
    if not str(content.get("source", "")).strip():
        raise DataFileRefused(file=f"{name}.toml", why="names no source")
    return content


def check(profile: Profile) -> None:
    """Refuse a profile that cannot be meant so.

    Raises:
        ProfileRefused: the facts name the profile, the place and why, of the first thing wrong.
    """
    for wrong in wrongs(profile):
        raise ProfileRefused(profile=profile.name, where=wrong.where, why=wrong.why)


def profile_files(folder: Path | Traversable) -> list[Path | Traversable]:
    """The profiles of a folder, recorded frames left out, by name.

    Raises:
        ProfileRefused: there is no such folder.
    """
    try:
        entries: Iterable[Path | Traversable] = list(folder.iterdir())
    except OSError as error:
        raise ProfileRefused(folder=str(folder), why=str(error)) from error
    wanted = [
        entry
        for entry in entries
        if entry.name.endswith(".toml") and not entry.name.endswith(FRAMES)
    ]
    return sorted(wanted, key=lambda entry: entry.name)


def _extends(content: Mapping[str, Any]) -> str:
    return str(content.get("extends", ""))


def _whole(content: Mapping[str, Any], name: str) -> Profile:
    return _checked(build(Profile, content, where=f"{name}.toml"), name)


def _variant(
    content: Mapping[str, Any],
    name: str,
    profiles: Mapping[str, Profile],
    contents: Mapping[str, Mapping[str, Any]],
) -> Profile:
    variant = build(Variant, content, where=f"{name}.toml")
    base = profiles.get(variant.extends)
    if base is None or base.extends or _extends(contents.get(variant.extends, {})):
        raise ProfileRefused(
            profile=name, why=f"extends {variant.extends}, which is no profile of its own"
        )
    missing = sorted(set(variant.without) - {point.quantity for point in base.points})
    if missing:
        raise ProfileRefused(profile=name, why=f"is without {missing[0]}, as {base.name} is")
    return _checked(extend(base, variant), name)


def _checked(profile: Profile, name: str) -> Profile:
    if profile.name != name:
        raise ProfileRefused(profile=profile.name, why=f"stands in {name}.toml")
    check(profile)
    return profile
