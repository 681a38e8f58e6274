"""The shelf of profiles: packaged ones and the office's own, also those that are broken."""

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from foundation.audit import Act, entries
from metering.devices.models import Terminal
from metering.modbus.profile import Profile, load_profiles, profile_files
from metering.profiles.rules import NAME, checked, copied
from metering.profiles.types import (
    ProfileRow,
    ProfileText,
    ProfileUnknown,
    ProfileVersion,
    ProfileWrong,
)

FOLDER, VERSIONS = "profiles", "versions"
SHOWN = 20
"""So many earlier versions are listed; all are kept."""
SAVED = Act.of("profile.saved", "version", "before", "after", "note")
EMPTY = """# What the model is called in the list of terminals, and where its map is documented.
name = "{name}"
title_zh = ""
title_en = ""
maker = ""
source = "maker's manual, edition and page"
confidence = "C"          # A two sources, B cites the maker's document, C one source, verify
phases = 3

# Addresses as on the wire, counted from 0. Types: u16 i16 u32 i32 u64 i64 f32 bit.
# order: ABCD as sent, CDAB words turned. ratio: none, pt, ct, ptct.
points = [
    {{ quantity = "u_a", function = 3, address = 0x0000, type = "f32", unit = "V" }},
]

readable = [
    {{ function = 3, first = 0x0000, last = 0x0001 }},
]
"""


def own_files(data_dir: Path) -> dict[str, Path]:
    """Give the files of the office's own profiles, by name."""
    folder = data_dir / FOLDER
    if not folder.is_dir():
        return {}
    return {one.name.removesuffix(".toml"): folder / one.name for one in profile_files(folder)}


def usable(data_dir: Path) -> dict[str, Profile]:
    """Give every profile that can be used: broken ones of the office are left out."""
    return _shelf(data_dir)[0]


def own_extending(data_dir: Path, name: str) -> dict[str, str]:
    """Give the texts of the office's own profiles that extend one, by name."""
    known = usable(data_dir)
    return {
        own: path.read_text(encoding="utf-8")
        for own, path in own_files(data_dir).items()
        if own in known and known[own].extends == name
    }


def profile_rows(session: Session, data_dir: Path) -> list[ProfileRow]:
    """List the shelf: the office's own first, then the packaged, by name.

    Args:
        session: any transaction.
        data_dir: the office's folder.
    """
    known, problems = _shelf(data_dir)
    own, counts = own_files(data_dir), _terminals(session)
    rows = [
        *(_row(known[name], is_own=name in own, terminals=counts.get(name, 0)) for name in known),
        *(
            ProfileRow(name, is_own=True, terminals=counts.get(name, 0), problem=problem)
            for name, problem in problems.items()
        ),
    ]
    return sorted(rows, key=lambda row: (not row.is_own, row.name))


def profile_text(session: Session, data_dir: Path, name: str) -> ProfileText:
    """Give one profile as it is written.

    Raises:
        ProfileUnknown: there is no such profile.
    """
    found = next((row for row in profile_rows(session, data_dir) if row.name == name), None)
    if found is None:
        raise ProfileUnknown(name=name)
    if not found.is_own:
        text = files("metering.profiles").joinpath(f"{name}.toml").read_text(encoding="utf-8")
        return ProfileText(found, text, "")
    text = own_files(data_dir)[name].read_text(encoding="utf-8")
    return ProfileText(found, text, digest(text), _earlier(session, data_dir, name))


def earlier_text(data_dir: Path, name: str, version: int) -> str:
    """Give the text a profile had before.

    Raises:
        ProfileUnknown: this version is not kept.
    """
    found = next((one for one in kept(data_dir, name) if _version_of(one) == version), None)
    if found is None:
        raise ProfileUnknown(name=f"{name} {version}")
    return found.read_text(encoding="utf-8", errors="replace")


def new_text(session: Session, data_dir: Path, *, copy_of: str, name: str) -> str:
    """Give the text to begin a profile with: empty, or another's under a new name.

    Raises:
        ProfileUnknown: there is no such profile to copy.
    """
    if not copy_of:
        return EMPTY.format(name=name)
    return copied(profile_text(session, data_dir, copy_of).text, copy_of, name)


def free_name(data_dir: Path, wanted: str) -> str:
    """Give a name no profile has."""
    taken = {*load_profiles(), *own_files(data_dir)}
    tried = (f"{wanted}{'' if n < 2 else f'_{n}'}" for n in range(1, 1000))  # noqa: PLR2004
    return next(name for name in tried if name not in taken)


def kept(data_dir: Path, name: str) -> list[Path]:
    """List the earlier texts of an own profile, oldest first."""
    if not NAME.fullmatch(name):
        return []
    folder = data_dir / FOLDER / VERSIONS
    return sorted(folder.glob(f"{name}.[0-9][0-9][0-9][0-9].toml"))


def _version_of(path: Path) -> int:
    return int(path.name.split(".")[-2])


def _earlier(session: Session, data_dir: Path, name: str) -> tuple[ProfileVersion, ...]:
    said = {
        one.facts["version"]: ProfileVersion(
            one.facts["version"], one.at, one.actor_name, one.facts.get("note", "")
        )
        for one in entries(session, act=SAVED.name, subject_no=name, limit=2 * SHOWN)
        if one.subject_no == name
    }
    versions = [_version_of(path) for path in kept(data_dir, name)]
    return tuple(said.get(one, ProfileVersion(one)) for one in versions[: -SHOWN - 1 : -1])


def digest(text: str) -> str:
    """Give what tells one text from another."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _shelf(data_dir: Path) -> tuple[dict[str, Profile], dict[str, ProfileWrong]]:
    known = load_profiles()
    problems: dict[str, ProfileWrong] = {}
    todo = {
        name: path.read_text(encoding="utf-8", errors="replace")
        for name, path in own_files(data_dir).items()
    }
    wholes = {name: text for name, text in todo.items() if "extends" not in text}
    for texts in (wholes, {name: todo[name] for name in todo.keys() - wholes.keys()}):
        known |= _checked(texts, known, problems)
    return dict(sorted(known.items())), problems


def _checked(
    texts: Mapping[str, str], known: Mapping[str, Profile], problems: dict[str, ProfileWrong]
) -> dict[str, Profile]:
    found = {}
    for name, text in texts.items():
        if name in known:
            problems[name] = ProfileWrong(line=0, why="two profiles have this name")
            continue
        try:
            found[name] = checked(name, text, known)
        except ProfileWrong as problem:
            problems[name] = problem
    return found


def _row(profile: Profile, *, is_own: bool, terminals: int) -> ProfileRow:
    return ProfileRow(
        name=profile.name,
        is_own=is_own,
        title_zh=profile.title_zh,
        title_en=profile.title_en,
        maker=profile.maker,
        source=profile.source,
        confidence=profile.confidence,
        points=len(profile.points),
        phases=profile.phases,
        extends=profile.extends,
        terminals=terminals,
    )


def _terminals(session: Session) -> dict[str, int]:
    statement = select(Terminal.profile, func.count()).group_by(Terminal.profile)
    return dict(session.execute(statement).all())


def owned_terminals(session: Session, host: str, port: int) -> list[str]:
    """Number the terminals in service behind an address: a poller owns that connection."""
    return list(
        session.scalars(
            select(Terminal.terminal_no)
            .where(Terminal.host == host, Terminal.port == port, Terminal.in_service)
            .order_by(Terminal.unit)
        )
    )
