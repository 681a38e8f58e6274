"""Saving profiles of the office's own, and trying one on a live device."""

import os
import socket
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from foundation.actor import Actor
from foundation.audit import Act, entries, record
from metering.modbus.errors import LookTooLong
from metering.modbus.link import TlsFiles
from metering.modbus.place import Place
from metering.modbus.probe import OVER_TCP, Fit, Probed, probe
from metering.modbus.profile import Profile, load_profiles
from metering.modbus.profile_parts import Order
from metering.profiles.queries import (
    FOLDER,
    SAVED,
    VERSIONS,
    digest,
    kept,
    own_extending,
    own_files,
    owned_terminals,
    usable,
)
from metering.profiles.rules import Networks, checked, is_allowed, name_in, shifted, turned
from metering.profiles.types import (
    AddressNotAllowed,
    ConnectionOwned,
    HostUnknown,
    ProfileChanged,
    ProfileNameTaken,
    ProfilePackaged,
    ProfileUnknown,
    ProfileWrong,
    Trial,
    TrialSeen,
    in_short,
)

PROBED = Act.of("device.probed", "unit", "profile", "framing", "shift", "order", "fit_pct")
TIMEOUT_S = 1.5
"""Patience for one request: a person waits [s]."""
WITHIN_S = 20.0
"""Patience for a whole trial [s]."""


def add_profile(session: Session, actor: Actor, data_dir: Path, *, text: str) -> str:
    """Put a new profile on the office's shelf and give its name; pollers take it up themselves.

    Args:
        session: the caller's transaction.
        actor: who answers for it.
        data_dir: the office's folder.
        text: its TOML; the name stands in it.

    Raises:
        ProfileWrong: the text cannot be used; nothing is written.
        ProfileNameTaken: another profile has this name.
    """
    text = _tidy(text)
    name = name_in(text)
    _alone(session)
    checked(name, text, usable(data_dir))
    if name in load_profiles() or name in own_files(data_dir):
        raise ProfileNameTaken(name=name)
    _write(session, actor, data_dir, name, text, before="", note="")
    return name


def save_profile(
    session: Session,
    actor: Actor,
    data_dir: Path,
    name: str,
    *,
    text: str,
    seen: str,
    note: str = "",
) -> None:
    """Save a profile of the office's own; the text before is kept beside it.

    Args:
        session: the caller's transaction.
        actor: who answers for it.
        data_dir: the office's folder.
        name: of the profile.
        text: its new TOML.
        seen: digest of the text that was changed.
        note: why, for the audit.

    Raises:
        ProfileWrong: the text, or a profile that extends it, could not be used; nothing is written.
        ProfileChanged: somebody else saved it meanwhile.
        ProfilePackaged: it is a packaged one.
        ProfileUnknown: there is no such profile.
    """
    text = _tidy(text)
    _alone(session)
    path = own_files(data_dir).get(name)
    if path is None:
        raise ProfilePackaged(name=name) if name in load_profiles() else ProfileUnknown(name=name)
    before = path.read_text(encoding="utf-8", errors="replace")
    if digest(before) != seen:
        raise _changed(session, name)
    if before == text:
        return
    known = usable(data_dir)
    made = checked(name, text, known)
    for other, written in own_extending(data_dir, name).items():
        try:
            checked(other, written, {**known, name: made})
        except ProfileWrong as error:
            raise ProfileWrong(line=0, why=f"{other}: {error.facts['why']}") from error
    _write(session, actor, data_dir, name, text, before=before, note=note)


def take_over(
    data_dir: Path, name: str, text: str, *, shift: int = 0, order: Order | None = None
) -> str:
    """Give a text with a detected offset or byte order put in; nothing is saved.

    Raises:
        ProfileWrong: the text is wrong.
        TakeOverRefused: it must be done by hand.
    """
    known: Mapping[str, Profile] = usable(data_dir)
    text = _tidy(text)
    if shift:
        text = shifted(name, text, shift, known)
    return text if order is None else turned(name, text, order, known)


def try_profile(
    session: Session,
    actor: Actor,
    trial: Trial,
    *,
    data_dir: Path,
    networks: Networks,
    tls: TlsFiles | None = None,
) -> TrialSeen:
    """Read a live device with a profile, saved or not, and wait for it.

    Args:
        session: the caller's transaction.
        actor: who looks; the look is audited, also one that took too long.
        trial: what to try where.
        data_dir: the office's folder.
        networks: where devices may stand.
        tls: certificates, to try TLS.

    Raises:
        ProfileWrong: the text cannot be used.
        HostUnknown, AddressNotAllowed: it is nowhere we look.
        ConnectionOwned: a poller has this connection, and nobody said to open a second one.
        LookTooLong: the device is too slow.
    """
    profile = checked(trial.name, _tidy(trial.text), usable(data_dir))
    place = Place(
        _address(trial.host, trial.port, networks), trial.port, trial.unit, TIMEOUT_S, tls=tls
    )
    owned = owned_terminals(session, trial.host, trial.port)
    if owned and not trial.despite_owner:
        raise ConnectionOwned(address=f"{trial.host}:{trial.port}", terminals=in_short(owned))
    framings = OVER_TCP if trial.framing is None else (trial.framing,)
    try:
        probed = probe(
            place, profile, ratios=(trial.pt, trial.ct), framings=framings, within_s=WITHIN_S
        )
    except LookTooLong:
        _looked(session, actor, trial, framing=trial.framing, best=None)
        raise
    seen = _seen(probed)
    _looked(session, actor, trial, framing=probed.framing, best=seen.best)
    return seen


def _looked(
    session: Session, actor: Actor, trial: Trial, *, framing: str | None, best: Fit | None
) -> None:
    record(
        session,
        actor,
        PROBED,
        subject=("device", f"{trial.host}:{trial.port}"),
        unit=trial.unit,
        profile=trial.name,
        framing=framing,
        shift=best.shift if best else None,
        order=best.order if best else None,
        fit_pct=round(100 * best.score) if best else None,
    )


def _seen(probed: Probed) -> TrialSeen:
    written = next((fit for fit in probed.fits if not fit.shift and fit.order is None), None)
    best = probed.fits[0] if probed.fits else None
    if best is not None and written is not None and best.score <= written.score:
        best = written
    return TrialSeen(probed, written, best)


def _address(host: str, port: int, networks: Networks) -> str:
    """Resolve a host once and give the address itself, so that no name means two places."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise HostUnknown(host=host) from error
    address = str(found[0][4][0])
    if not is_allowed(ip_address(address.split("%", maxsplit=1)[0]), networks):
        raise AddressNotAllowed(host=host)
    return address


def _tidy(text: str) -> str:
    """Browsers send line ends of their own."""
    return text.replace("\r\n", "\n").rstrip() + "\n"


def _alone(session: Session) -> None:
    """Let one person save at a time, on whatever machine."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("metering.profiles"))))


def _changed(session: Session, name: str) -> ProfileChanged:
    last = next(
        (
            one
            for one in entries(session, act=SAVED.name, subject_no=name, limit=20)
            if one.subject_no == name
        ),
        None,
    )
    return ProfileChanged(by=last.actor_name if last else "—", at=last.at if last else "")


def _write(
    session: Session,
    actor: Actor,
    data_dir: Path,
    name: str,
    text: str,
    *,
    before: str,
    note: str,
) -> None:
    """Audit, keep the text before, and put the new one in its place in one step."""
    version = len(kept(data_dir, name)) + (2 if before else 1)
    record(
        session,
        actor,
        SAVED,
        subject=("profile", name),
        version=version,
        before=before,
        after=text,
        note=note,
    )
    session.flush()  # what the database refuses is refused before the file changes
    folder = data_dir / FOLDER
    (folder / VERSIONS).mkdir(parents=True, exist_ok=True)
    if before:
        _put(folder / VERSIONS / f"{name}.{version - 1:04d}.toml", before)
    _put(folder / f"{name}.toml", text)


def _put(path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
