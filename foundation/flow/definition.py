"""A flow as its TOML says it: steps, moves between them, and the clocks that promise.

Loading checks what a case would stumble over later: every target exists, every step can
be reached, every case can end, every role, form and effect is known.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path

from foundation.actor import Actor, Desk, Role
from foundation.datafiles import DataFileRefused, build, load_toml


@dataclass(frozen=True, slots=True)
class Move:
    """One way out of a step.

    `roles` may make it; the system may always. A move with `back_to` is a return: who
    makes it chooses one of those earlier steps and says why.
    """

    to: str = ""
    back_to: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()
    desk: Desk | None = None  # another desk than the step's own
    form: str | None = None
    effect: str | None = None
    note: str = "optional"  # optional | required
    system: bool = False  # a move no person makes


@dataclass(frozen=True, slots=True)
class Step:
    """One place a case can stand.

    Attributes:
        desk: departments that keep this desk (岗位) do the step.
        local: of those, only the department that answers for the place.
        limit_days: the step's own limit [working days]; it rests while the case is paused.
    """

    status: str
    moves: dict[str, Move] = field(default_factory=dict)
    pauses: bool = False
    desk: Desk | None = None
    local: bool = False
    limit_days: int | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """A clock: runs from entering one step until entering one of others."""

    starts_at: str
    ends_at: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """A named, versioned table of steps."""

    name: str
    version: int
    title: str
    source: str
    start: str
    steps: dict[str, Step]
    promises: dict[str, Promise] = field(default_factory=dict)
    stages: tuple[str, ...] = ()  # the straight way, as a timeline draws it
    pause_reasons: tuple[str, ...] = ()  # why a case may wait for the customer
    pause_roles: tuple[Role, ...] = ()

    def is_end(self, step: str) -> bool:
        """Whether a case that stands here has ended."""
        return not self.steps[step].moves

    def targets(self, step: str, move: str) -> tuple[str, ...]:
        """Give the steps a move may lead to: one, or those a return chooses from."""
        chosen = self.steps[step].moves[move]
        return chosen.back_to or (chosen.to,)


def may_make(step: Step, move: Move, actor: Actor, *, unit_id: int | None = None) -> bool:
    """Whether an actor may make a move.

    They hold one of its roles and sit at its desk; a supervisor it names sits at all.

    Args:
        step: where the case stands.
        move: which way out.
        actor: who.
        unit_id: department that answers for the case's place, if it has one.
    """
    if actor.is_system:
        return True
    if move.system or not actor.roles & set(move.roles):
        return False
    if Role.SUPERVISOR in actor.roles and Role.SUPERVISOR in move.roles:
        return True
    desk = move.desk or step.desk
    if desk is not None and desk not in actor.desks:
        return False
    is_local = step.local and move.desk is None and unit_id is not None
    return not is_local or actor.unit_id == unit_id


class Flows:
    """All versions of a room's flows."""

    def __init__(self, flows: Collection[Flow]) -> None:
        self._flows = {(flow.name, flow.version): flow for flow in flows}

    def current(self, name: str) -> Flow:
        """Give the newest version."""
        return self._flows[name, max(v for n, v in self._flows if n == name)]

    def version(self, name: str, version: int) -> Flow:
        """Give the version a running case began with."""
        return self._flows[name, version]

    def all(self) -> list[Flow]:
        """Give every flow, newest version last."""
        return [self._flows[key] for key in sorted(self._flows)]


def load_flows(
    folder: Traversable | Path, *, forms: Collection[str], effects: Collection[str]
) -> Flows:
    """Load and check every flow of a folder.

    Raises:
        DataFileRefused: a flow cannot work; facts: file, why.
    """
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return Flows([load_flow(file, forms=forms, effects=effects) for file in files])


def load_flow(
    file: Traversable | Path, *, forms: Collection[str], effects: Collection[str]
) -> Flow:
    """Load and check one flow.

    Raises:
        DataFileRefused: the flow cannot work; facts: file, why.
    """
    flow = build(Flow, load_toml(file), where=file.name)
    for why in problems(flow, forms=forms, effects=effects):
        raise DataFileRefused(file=file.name, why=why)
    return flow


def problems(flow: Flow, *, forms: Collection[str], effects: Collection[str]) -> list[str]:
    """Say everything that is wrong with a flow, in a fixed order."""
    if flow.start not in flow.steps:
        return [f"start {flow.start!r} is no step"]
    found = [
        *_unknown_names(flow, forms, effects),
        *(f"step {step!r} cannot be reached" for step in sorted(_unreached(flow))),
    ]
    if not any(flow.is_end(step) for step in flow.steps):
        found.append("no case can end")
    return found


def _unknown_names(flow: Flow, forms: Collection[str], effects: Collection[str]) -> list[str]:
    found = []
    for step_name, step in flow.steps.items():
        for move_name, move in step.moves.items():
            where = f"{step_name}.{move_name}"
            found += [
                f"{where} leads to unknown step {target!r}"
                for target in flow.targets(step_name, move_name)
                if target not in flow.steps
            ]
            if move.form is not None and move.form not in forms:
                found.append(f"{where} has unknown form {move.form!r}")
            if move.effect is not None and move.effect not in effects:
                found.append(f"{where} has unknown effect {move.effect!r}")
            if not move.roles and not move.system:
                found.append(f"{where}: nobody may make it")
    found += [f"stage {name!r} is no step" for name in flow.stages if name not in flow.steps]
    for promise_name, promise in flow.promises.items():
        found += [
            f"promise {promise_name} names unknown step {name!r}"
            for name in (promise.starts_at, *promise.ends_at)
            if name not in flow.steps
        ]
    return found


def _unreached(flow: Flow) -> set[str]:
    return set(flow.steps) - reachable(flow.steps, flow.start)


def reachable(steps: Mapping[str, Step], start: str) -> set[str]:
    """Give every step a case can come to from one step, that step included."""
    seen: set[str] = set()
    todo = [start]
    while todo:
        step = todo.pop()
        if step in seen or step not in steps:
            continue
        seen.add(step)
        for move in steps[step].moves.values():
            todo.extend(move.back_to or (move.to,))
    return seen
