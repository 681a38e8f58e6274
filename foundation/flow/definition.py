"""A flow as its TOML says it: steps, moves between them, and the clocks that promise.

Loading checks what a case would stumble over later: every target exists, every step can
be reached, every case can end, every role, form and effect is known.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path

from foundation.actor import Role
from foundation.datafiles import DataFileRefused, build, load_toml


@dataclass(frozen=True, slots=True)
class Move:
    """One way out of a step.

    `roles` may make it; the system may always. `crew` says that only the crew the case
    is given to may.
    """

    to: str
    roles: tuple[Role, ...] = ()
    form: str | None = None
    effect: str | None = None
    note: str = "optional"  # optional | required
    system: bool = False  # a move no person makes


@dataclass(frozen=True, slots=True)
class Step:
    """One place a case can stand."""

    status: str
    moves: dict[str, Move] = field(default_factory=dict)
    pauses: bool = False


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

    def is_end(self, step: str) -> bool:
        """Whether a case that stands here has ended."""
        return not self.steps[step].moves


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
            if move.to not in flow.steps:
                found.append(f"{where} leads to unknown step {move.to!r}")
            if move.form is not None and move.form not in forms:
                found.append(f"{where} has unknown form {move.form!r}")
            if move.effect is not None and move.effect not in effects:
                found.append(f"{where} has unknown effect {move.effect!r}")
            if not move.roles and not move.system:
                found.append(f"{where}: nobody may make it")
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
        todo.extend(move.to for move in steps[step].moves.values())
    return seen
