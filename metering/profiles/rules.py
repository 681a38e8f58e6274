"""What is wrong with a profile's text and in which line; putting what was found into it."""

import re
from collections.abc import Collection, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

from foundation.datafiles import DataFileRefused, build
from foundation.errors import GridhallError
from metering.modbus.errors import ProfileRefused
from metering.modbus.profile import Profile, parse_profile, profile_content
from metering.modbus.profile_parts import (
    ORDERS,
    Control,
    Freeze,
    Identity,
    Mark,
    Order,
    Point,
    Span,
)
from metering.modbus.profile_variants import in_order, moved_by
from metering.profiles.types import ProfileWrong, TakeOverRefused

Networks = Collection[IPv4Network | IPv6Network]
NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
LONGEST_TEXT = 200_000
RESERVED = frozenset({"new", "try", "take"})
"""Words the portal's addresses need."""
LISTS: Mapping[str, type[Any]] = {
    "points": Point, "readable": Span, "marks": Mark, "freezes": Freeze, "controls": Control,
    "identity": Identity,
}  # fmt: skip
KEY_OF = {"point": ("points", "quantity"), "freeze": ("freezes", "every"),
          "control": ("controls", "name"), "identity": ("identity", "what")}  # fmt: skip
ADDRESSES = re.compile(
    r"(?P<head>\b(?:address|first|last|factor_at)\s*=\s*)(?P<number>0[xX][0-9a-fA-F]+|\d+)"
)
WIDE = re.compile(r'(?P<type>\btype\s*=\s*"(?:u32|i32|u64|i64|f32)")')
ORDER = re.compile(r'\border\s*=\s*"[A-D]{4}"')
ORDER_ALONE = re.compile(r'\s*order\s*=\s*"[A-D]{4}"\s*(#.*)?')
COMMENT = re.compile(r"""^(?P<said>(?:"[^"]*"|'[^']*'|[^#"'])*)(?P<comment>#.*)?$""")


def checked(name: str, text: str, known: Mapping[str, Profile]) -> Profile:
    """Check a profile's text.

    Args:
        name: of its file.
        text: its TOML.
        known: the profiles it may extend.

    Raises:
        ProfileWrong: it cannot be used; facts: line, why.
    """
    if not NAME.fullmatch(name) or name in RESERVED:
        raise ProfileWrong(line=line_of_key(text, "name"), why="the name is no name of a file")
    if len(text) > LONGEST_TEXT:
        raise ProfileWrong(line=0, why="the text is too long")
    try:
        return parse_profile(name, text, known)
    except (ProfileRefused, DataFileRefused) as error:
        where = str(error.facts.get("where", ""))
        why = str(error.facts["why"])
        raise ProfileWrong(line=_line(name, text, error), why=_said(where, why)) from error


def name_in(text: str) -> str:
    """Give the name a profile's text gives itself, empty if none.

    Raises:
        ProfileWrong: it is no TOML, or names no source.
    """
    try:
        return str(profile_content("new", text).get("name", ""))
    except DataFileRefused as error:
        raise ProfileWrong(line=_line("new", text, error), why=str(error.facts["why"])) from error


def copied(text: str, old: str, new: str) -> str:
    """Give a profile's text under another name."""
    return re.sub(rf'(?m)^(name\s*=\s*)"{re.escape(old)}"', rf'\g<1>"{new}"', text, count=1)


def line_of_key(text: str, key: str) -> int:
    """Give the line a key stands in, counted from 1; 0 if nowhere."""
    found = re.search(rf"(?m)(?:^|[{{,\s]){re.escape(key)}\s*=", text)
    found = found or re.search(rf"(?m)^\s*\[+{re.escape(key)}\]+", text)
    return _line_at(text, found.end()) if found else 0


def is_allowed(address: IPv4Address | IPv6Address, networks: Networks) -> bool:
    """Whether a device at this address may be looked at."""
    return any(address in network for network in networks if network.version == address.version)


def shifted(name: str, text: str, shift: int, known: Mapping[str, Profile]) -> str:
    """Give a profile's text with every address moved.

    Raises:
        TakeOverRefused: the text is written so that it must be done by hand.
        ProfileWrong: the text is wrong.
    """
    before = checked(name, text, known)
    if before.extends:
        found = re.search(r"(?m)^shift\s*=\s*(-?\d+)", text)
        new = f"shift = {(int(found[1]) if found else 0) + shift}"
        after = text.replace(found[0], new, 1) if found else f"{text.rstrip()}\n{new}\n"
    else:
        after = "\n".join(_moved_line(line, shift) for line in text.split("\n"))
    return _proved(name, after, known, moved_by(before, shift))


def turned(name: str, text: str, order: Order, known: Mapping[str, Profile]) -> str:
    """Give a profile's text with another byte order in every wide value.

    Raises:
        TakeOverRefused: the text is written so that it must be done by hand.
        ProfileWrong: the text is wrong.
    """
    if order not in ORDERS:
        raise TakeOverRefused
    before = checked(name, text, known)
    if before.extends:
        found = re.search(r'(?m)^order\s*=\s*"[A-D]{4}"', text)
        new = f'order = "{order}"'
        after = text.replace(found[0], new, 1) if found else f"{text.rstrip()}\n{new}\n"
    else:
        lines = (line for line in text.split("\n") if not ORDER_ALONE.fullmatch(line))
        after = "\n".join(_turned_line(line, order) for line in lines)
    return _proved(name, after, known, in_order(before, order))


def _proved(name: str, text: str, known: Mapping[str, Profile], wanted: Profile) -> str:
    """Give the text back if it really says what was wanted."""
    if checked(name, text, known) != wanted:
        raise TakeOverRefused
    return text


def _moved_line(line: str, shift: int) -> str:
    said, comment = _parts(line)

    def moved(found: re.Match[str]) -> str:
        digits = found["number"]
        number = int(digits, 0) + shift
        if number < 0:
            raise TakeOverRefused
        if digits[:2].lower() != "0x":
            return f"{found['head']}{number}"
        return f"{found['head']}0x{number:0{len(digits) - 2}X}"

    return ADDRESSES.sub(moved, said) + comment


def _turned_line(line: str, order: str) -> str:
    said, comment = _parts(line)
    if ORDER.search(said):
        return ORDER.sub(f'order = "{order}"', said) + comment
    between = ", " if "{" in said else "\n"
    return WIDE.sub(rf'\g<type>{between}order = "{order}"', said) + comment


def _parts(line: str) -> tuple[str, str]:
    found = COMMENT.match(line)
    return (found["said"], found["comment"] or "") if found else (line, "")


def _said(where: str, why: str) -> str:
    return f"{where}: {why}" if where else why


def _line(name: str, text: str, error: GridhallError) -> int:
    """Find the line an error is about; 0 if it is about the whole."""
    why = str(error.facts["why"])
    if found := re.search(r"at line (\d+)", why):
        return int(found[1])
    if "at end of document" in why:
        return text.count("\n") + 1
    try:
        content = profile_content(name, text)
    except DataFileRefused:
        return line_of_key(text, "source")
    return _line_in_lists(content, text, error) or _line_of_word(text, error)


def _line_in_lists(content: Mapping[str, Any], text: str, error: GridhallError) -> int:
    where = str(error.facts.get("where", ""))
    kind, _, rest = where.partition(" ")
    if kind in KEY_OF:
        key, naming = KEY_OF[kind]
        wanted = rest.split(" at ")[0].removeprefix("of each ")
        items = content.get(key, [])
        at = [n for n, item in enumerate(items) if item.get(naming) == wanted]
        address = re.search(r" at (0x[0-9a-f]+)", where)
        exact = [n for n in at if address and items[n].get("address") == int(address[1], 16)]
        return item_line(text, key, (exact or at)[0]) if at else 0
    if where:
        return line_of_key(text, where)
    if isinstance(error, DataFileRefused):
        for key, cls in LISTS.items():
            items = content.get(key, [])
            for n, item in enumerate(items if isinstance(items, list) else []):
                try:
                    build(cls, item, where="")
                except (DataFileRefused, TypeError):
                    return item_line(text, key, n)
    return 0


def _line_of_word(text: str, error: GridhallError) -> int:
    why = str(error.facts["why"])
    if found := re.search(r"unknown key '([^']+)'", why):
        return line_of_key(text, found[1])
    if found := re.search(r"overlap at function \d+ address (0x[0-9a-f]+)", why):
        return _line_of_address(text, int(found[1], 16))
    if found := re.search(r"\.toml: (\w+)", str(error.facts.get("file", ""))):
        return line_of_key(text, found[1])
    words = ("stands in", "name"), ("extends", "extends"), ("readable", "readable"), ("is without",
             "without"), ("max_registers", "max_registers")  # fmt: skip
    return next((line_of_key(text, key) for begin, key in words if begin in why), 0)


def _line_of_address(text: str, address: int) -> int:
    lines = [
        number
        for number, line in enumerate(text.split("\n"), start=1)
        for found in ADDRESSES.finditer(_parts(line)[0])
        if int(found["number"], 0) == address and "address" in found["head"]
    ]
    return lines[-1] if lines else 0


def item_line(text: str, key: str, number: int) -> int:
    """Give the line in which the n-th item (from 0) of a list of tables begins."""
    heads = list(re.finditer(rf"(?m)^\s*\[\[{key}\]\]", text))
    if heads:
        return _line_at(text, heads[number].end()) if number < len(heads) else 0
    begin = re.search(rf"(?m)^{key}\s*=\s*\[", text)
    if begin is None:
        return 0
    first, depth, seen = text.count("\n", 0, begin.end()), 0, -1
    for line_no, line in enumerate(text.split("\n")[first:], start=first + 1):
        for sign in re.sub(r'"[^"]*"', "", _parts(line)[0]):
            if sign == "{":
                seen += depth == 0
                depth += 1
                if seen == number:
                    return line_no
            depth -= sign == "}"
    return 0


def _line_at(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1
