"""A variant becomes a whole profile: every address shifted, every order replaced."""

from dataclasses import replace
from typing import TypeVar

from metering.modbus.profile_parts import (
    Control,
    Freeze,
    FreezePoint,
    Identity,
    Order,
    Point,
    Profile,
    ReadBack,
    Variant,
)

Ordered = TypeVar("Ordered", Point, FreezePoint, Control, ReadBack)


def extend(base: Profile, variant: Variant) -> Profile:
    """Make the profile a variant describes.

    Args:
        base: the profile it extends.
        variant: what differs.
    """
    moved = moved_by(base, variant.shift)
    if variant.order is not None:
        moved = in_order(moved, variant.order)
    return replace(
        moved,
        name=variant.name,
        title_zh=variant.title_zh or base.title_zh,
        title_en=variant.title_en or base.title_en,
        source=f"{variant.source}; otherwise as {base.name}: {base.source}",
        confidence=variant.confidence,
        points=tuple(one for one in moved.points if one.quantity not in variant.without),
        max_registers=_other(variant.max_registers, base.max_registers),
        min_gap_ms=_other(variant.min_gap_ms, base.min_gap_ms),
        connect_pause_ms=_other(variant.connect_pause_ms, base.connect_pause_ms),
        extends=base.name,
        notes=variant.notes,
    )


def moved_by(profile: Profile, shift: int) -> Profile:
    """The same map, every address higher by `shift` (lower where it is negative)."""
    if not shift:
        return profile
    clock = profile.clock
    return replace(
        profile,
        points=tuple(_moved(point, shift) for point in profile.points),
        readable=tuple(
            replace(span, first=span.first + shift, last=span.last + shift)
            for span in profile.readable
        ),
        marks=tuple(replace(mark, address=mark.address + shift) for mark in profile.marks),
        clock=None if clock is None else replace(clock, address=clock.address + shift),
        freezes=tuple(replace(one, address=one.address + shift) for one in profile.freezes),
        controls=tuple(
            replace(
                one,
                address=one.address + shift,
                read=replace(one.read, address=one.read.address + shift),
            )
            for one in profile.controls
        ),
        identity=tuple(replace(one, address=one.address + shift) for one in profile.identity),
    )


def in_order(profile: Profile, order: Order) -> Profile:
    """The same map with another byte order in every value of more than one register."""
    return replace(
        profile,
        points=tuple(_turned(point, order) for point in profile.points),
        freezes=tuple(_turned_freeze(freeze, order) for freeze in profile.freezes),
        controls=tuple(
            replace(_turned(one, order), read=_turned(one.read, order)) for one in profile.controls
        ),
        identity=tuple(_turned_identity(one, order) for one in profile.identity),
    )


def _moved(point: Point, shift: int) -> Point:
    factor_at = None if point.factor_at is None else point.factor_at + shift
    return replace(point, address=point.address + shift, factor_at=factor_at)


def _turned(one: Ordered, order: Order) -> Ordered:
    return one if one.type in {"u16", "i16", "bit"} else replace(one, order=order)


def _turned_freeze(freeze: Freeze, order: Order) -> Freeze:
    return replace(freeze, points=tuple(_turned(point, order) for point in freeze.points))


def _turned_identity(identity: Identity, order: Order) -> Identity:
    return identity if identity.type in {"text", "u16"} else replace(identity, order=order)


def _other(given: int | None, otherwise: int) -> int:
    return otherwise if given is None else given
