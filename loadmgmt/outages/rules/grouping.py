"""Which calls and dark meters are one outage: one house, one box, or a whole area (停电研判)."""

from decimal import Decimal

from loadmgmt.outages.types import Power, Suspicion, Tally, Verdict


def verdict_at(
    own: Power,
    *,
    is_voltage_wrong: bool,
    box: Tally,
    area: Tally,
    box_accounts: int,
    area_accounts: int,
    rule: Suspicion,
) -> Verdict:
    """Say where the fault most likely is, seen from one point.

    A meter with voltage speaks for a fault behind it, whatever happens around, unless that
    voltage is out of its band or a phase is lost: then supply is at fault. Else the largest
    part of the network that the evidence covers is named.

    Args:
        own: what the point's own meter shows.
        is_voltage_wrong: an alert of its voltage stands.
        box: meters of its box.
        area: meters of its transformer area.
        box_accounts: accounts of the box that reported no power within the window.
        area_accounts: the same of the area.
        rule: the office's limits.

    Source: outages.toml, `suspect`.
    """
    if own is Power.ON:
        return Verdict.VOLTAGE if is_voltage_wrong else Verdict.INSIDE
    if area_is_out(area, accounts=area_accounts, rule=rule):
        return Verdict.AREA
    if box_is_out(box, accounts=box_accounts, rule=rule):
        return Verdict.BOX
    return Verdict.POINT if own is Power.DARK else Verdict.UNKNOWN


def area_is_out(area: Tally, *, accounts: int, rule: Suspicion) -> bool:
    """Whether a transformer area counts as out: by its meters, by calls, or by both together."""
    if accounts >= rule.area_accounts:
        return True
    if area.dark >= rule.dark_least and Decimal(area.dark) >= rule.dark_share * area.read:
        return True
    silent = area.dark + area.silent
    return (
        accounts >= rule.silent_accounts
        and silent > 0
        and Decimal(silent) >= rule.silent_share * area.read
    )


def box_is_out(box: Tally, *, accounts: int, rule: Suspicion) -> bool:
    """Whether a meter box counts as out: several dark meters and none alive, or several calls."""
    if box.on:
        return False
    return max(box.dark, accounts) >= rule.box_accounts
