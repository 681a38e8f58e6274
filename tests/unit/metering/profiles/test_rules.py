"""A profile's text: the line that is wrong, and putting an offset or byte order into it."""

import re
from importlib.resources import files
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.modbus.profile import load_profiles
from metering.modbus.profile_parts import ORDERS
from metering.modbus.profile_variants import in_order, moved_by
from metering.profiles.rules import checked, copied, is_allowed, item_line, shifted, turned
from metering.profiles.types import ProfileWrong, TakeOverRefused

KNOWN = load_profiles()
TEXTS = {
    name: files("metering.profiles").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    for name in KNOWN
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", KNOWN)
def test_a_byte_order_is_put_into_every_packaged_text(name: str, order: str) -> None:
    assert order in ORDERS
    assert checked(name, turned(name, TEXTS[name], order, KNOWN), KNOWN) == in_order(
        KNOWN[name], order
    )


@pytest.mark.parametrize("name", KNOWN)
def test_an_offset_is_put_into_every_packaged_text(name: str) -> None:
    assert checked(name, shifted(name, TEXTS[name], 1, KNOWN), KNOWN) == moved_by(KNOWN[name], 1)


@pytest.mark.parametrize("name", KNOWN)
def test_there_and_back_is_the_same_map(name: str) -> None:
    there = shifted(name, TEXTS[name], 1, KNOWN)
    assert checked(name, shifted(name, there, -1, KNOWN), KNOWN) == KNOWN[name]


def test_below_zero_is_no_address() -> None:
    with pytest.raises(TakeOverRefused):
        shifted("eastron_sdm630", TEXTS["eastron_sdm630"], -1, KNOWN)


@pytest.mark.parametrize("name", KNOWN)
def test_a_copy_has_another_name_and_nothing_else(name: str) -> None:
    copy = copied(TEXTS[name], name, "a_copy")
    assert checked("a_copy", copy, KNOWN).points == KNOWN[name].points
    assert copy.replace('"a_copy"', f'"{name}"', 1) == TEXTS[name]


@pytest.mark.parametrize("name", [one for one in KNOWN if not KNOWN[one].extends])
def test_the_line_of_each_point_is_found(name: str) -> None:
    lines = TEXTS[name].split("\n")
    for number, point in enumerate(KNOWN[name].points):
        if point.quantity.endswith("_b"):
            continue
        line = item_line(TEXTS[name], "points", number)
        assert f'"{point.quantity}"' in lines[line - 1]


@given(st.data())
def test_a_point_that_is_spoilt_is_told_by_its_line(data: st.DataObject) -> None:
    text = TEXTS["acrel_adl400"]
    lines = text.split("\n")
    line_no = data.draw(
        st.sampled_from([n for n, one in enumerate(lines) if re.match(r"\s+{ quantity", one)])
    )
    spoil = data.draw(
        st.sampled_from(
            [("unit =", "units ="), ('type = "', 'type = "x'), ("function = 3", "function = 9"),
             ('quantity = "', 'quantity = "no_')]
        )
    )  # fmt: skip
    if "offset" in lines[line_no] and spoil[0] == "function = 3":
        return
    lines[line_no] = lines[line_no].replace(*spoil, 1)
    with pytest.raises(ProfileWrong) as wrong:
        checked("acrel_adl400", "\n".join(lines), KNOWN)
    found = wrong.value.facts["line"]
    inside_freeze = "offset" in lines[line_no]
    assert isinstance(found, int)
    assert found == line_no + 1 or (inside_freeze and 0 < found <= line_no + 1), wrong.value


@given(st.text(max_size=200))
def test_whatever_is_typed_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(ProfileWrong) as wrong:
        checked("typed", text, KNOWN)
    assert wrong.value.facts["why"]


def test_an_address_is_allowed_by_its_network() -> None:
    networks = (ip_network("10.0.0.0/8"), ip_network("fc00::/7"))
    assert is_allowed(ip_address("10.1.2.3"), networks)
    assert is_allowed(ip_address("fd00::1"), networks)
    assert not is_allowed(ip_address("169.254.169.254"), networks)
    assert not is_allowed(ip_address("8.8.8.8"), networks)
