"""Running the checks on a terminal, and putting it into service or out of it."""

from datetime import timedelta, tzinfo
from decimal import Decimal
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor
from foundation.audit import Act, record
from foundation.errors import GridhallError
from metering.commissioning.queries import facts_of, history, target
from metering.commissioning.rules import judge
from metering.commissioning.types import (
    Checked,
    CommissionedMeanwhile,
    ProfileMissing,
    ReasonNeeded,
    Register,
    Seen,
    Target,
    TerminalNotFitted,
)
from metering.devices.actions import set_in_service
from metering.devices.models import Terminal
from metering.devices.timetable import load_timetable
from metering.devices.types import PollTarget
from metering.modbus.errors import ExceptionReply, LinkDown
from metering.modbus.link import TlsFiles
from metering.modbus.place import Place
from metering.modbus.plausibility import limits as plausible_limits
from metering.modbus.visit import Visited, visit
from metering.network.types import Supply
from metering.polling.meters import rating_of
from metering.profiles.queries import owned_terminals, usable
from metering.profiles.types import ConnectionOwned, in_short
from metering.readings.rules.validation import Limits
from metering.readings.validating import load_validation

CHECKED = Act.of("terminal.checked", "address", "checks", "read_at", "wh_import", "watts")
DECIDED = Act.of("terminal.commissioned", "in_service", "reason", "bad", "unknown")
TIMEOUT_S = 2.0
"""Patience for one request: a person waits [s]."""
WITHIN_S = 20.0
"""Patience for the whole visit [s]."""
REMEMBERED = timedelta(days=7)
"""A register read longer ago is not compared with."""
FRESH = timedelta(hours=24)
"""Checks older than this do not carry a decision."""


def run_checks(
    session: Session,
    actor: Actor,
    terminal_no: str,
    *,
    data_dir: Path,
    zone: tzinfo,
    tls: TlsFiles | None = None,
    despite_owner: bool = False,
) -> Checked:
    """Visit a terminal, judge what it shows, and keep that with person and time.

    Args:
        session: the caller's transaction.
        actor: who checks.
        terminal_no: its number.
        data_dir: where the office's own profiles stand.
        zone: the terminal's local time.
        tls: certificates for terminals reached by TLS.
        despite_owner: whether to open a second connection where a poller has one.

    Raises:
        TerminalUnknown: there is none of this number.
        ProfileMissing: its profile is not on the shelf.
        ConnectionOwned: a poller has this connection; facts: address, terminals.
    """
    at_it = target(session, terminal_no)
    profile = usable(data_dir).get(at_it.profile)
    if profile is None:
        raise ProfileMissing(profile=at_it.profile)
    owned = owned_terminals(session, at_it.host, at_it.port)
    if owned and not despite_owner:
        raise ConnectionOwned(address=at_it.address, terminals=in_short(owned))
    visited = visit(
        Place(at_it.host, at_it.port, at_it.unit, TIMEOUT_S, at_it.line, tls),
        at_it.framing.value,
        profile,
        zone=zone,
        ratios=(Decimal(at_it.pt), Decimal(at_it.ct)),
        within_s=WITHIN_S,
    )
    seen = _seen(visited, _before(session, terminal_no))
    rules = load_validation()
    checks = judge(
        seen,
        rating_of(_rated(at_it, profile.phases), rules),
        limits=Limits.of(rules),
        plausible=plausible_limits(),
    )
    wh, watts = seen.values.get("wh_import"), seen.values.get("p")
    record(
        session,
        actor,
        CHECKED,
        subject=("terminal", terminal_no),
        address=f"{at_it.address}/{at_it.unit}",
        checks=facts_of(checks),
        read_at=seen.at.isoformat(),
        wh_import=None if wh is None else round(wh),
        watts=None if watts is None else round(watts),
    )
    session.flush()
    return history(session, terminal_no).checked[0]


def decide(
    session: Session,
    actor: Actor,
    terminal_no: str,
    *,
    in_service: bool,
    reason: str,
    newest: int,
) -> None:
    """Put a terminal into service, or leave or take it out of service.

    Args:
        session: the caller's transaction.
        actor: who decides.
        terminal_no: its number.
        in_service: what is decided.
        reason: needed unless it goes into service with every check good within a day.
        newest: number of the newest entry of its history the person saw.

    Raises:
        TerminalUnknown: there is none of this number.
        CommissionedMeanwhile: somebody else checked or decided since.
        ReasonNeeded: there is none.
        TerminalNotFitted: it reads no meter yet.
    """
    session.execute(
        select(Terminal.id).where(Terminal.terminal_no == terminal_no).with_for_update()
    )
    at_it = target(session, terminal_no)
    if in_service and not at_it.is_fitted:
        raise TerminalNotFitted(terminal_no=terminal_no)
    past = history(session, terminal_no)
    if past.last is not None and past.last.id > newest:
        raise CommissionedMeanwhile(by=past.last.by, at=past.last.at)
    fresh = [one for one in past.checked[:1] if clock.now() - one.at <= FRESH]
    reason = reason.strip()
    if not reason and not (in_service and fresh and fresh[0].is_good):
        raise ReasonNeeded
    set_in_service(session, actor, terminal_no, in_service=in_service, reason=reason)
    record(
        session,
        actor,
        DECIDED,
        subject=("terminal", terminal_no),
        in_service=in_service,
        reason=reason,
        bad=fresh[0].count("bad") if fresh else None,
        unknown=fresh[0].count("unknown") if fresh else None,
    )


def _before(session: Session, terminal_no: str) -> Register | None:
    """Give the register at the check before; of several within the days kept, the oldest."""
    since = clock.now() - REMEMBERED
    known = [
        one.register
        for one in history(session, terminal_no).checked
        if one.register.wh is not None and one.register.at >= since
    ]
    return known[-1] if known else None


def _seen(visited: Visited, before: Register | None) -> Seen:
    return Seen(
        at=clock.now(),
        error=_code(visited.error),
        why=_why(visited.error),
        identity=visited.identity,
        values=visited.values,
        has_clock=visited.clock is not None,
        drift_s=None if visited.clock is None else visited.clock.drift_s,
        clock_limit_s=load_timetable().clocks.limit_s,
        before=before,
    )


def _code(error: GridhallError | None) -> str | None:
    if isinstance(error, ExceptionReply):
        return f"exception_{error.exception:02x}"
    return None if error is None else error.code


def _why(error: GridhallError | None) -> str:
    """What a connection that failed said: a certificate refused, a port closed, a line missing."""
    return str(error.facts.get("why", "")) if isinstance(error, LinkDown) else ""


def _rated(at_it: Target, phases: int) -> PollTarget:
    """Give the terminal as a poller would ask it; without a meter, what its model tells."""
    guess = Supply.SINGLE_220 if phases == 1 else Supply.THREE_380
    return PollTarget(
        terminal_id=at_it.terminal_id,
        terminal_no=at_it.terminal_no,
        host=at_it.host,
        port=at_it.port,
        unit=at_it.unit,
        profile=at_it.profile,
        interval_s=0,
        meter_id=at_it.meter_id or 0,
        meter_no=at_it.meter_no or "",
        ct=at_it.ct,
        pt=at_it.pt,
        supply=at_it.supply or guess,
        rated_a=at_it.rated_a,
        register_wh=at_it.register_wh,
    )
