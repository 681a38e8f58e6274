"""Why a profile's text is refused, in the reader's language.

The checks speak the language of the file, which is English; a reason that has no sentence here is
shown as the check said it.
"""

import re

from webapp.context import t

WHERE = re.compile(r"(?P<kind>point|clock|freeze of each|control|identity)(?P<rest>[^:]*): ")
KINDS = {"freeze of each": "freeze"}
AT = r" \((?:at line \d+, column (?P<column>\d+)|at end of document)\)"
REASONS: tuple[tuple[str, str], ...] = (
    ("no_source", r"names no source"),
    ("no_file_name", r"the name is no name of a file"),
    ("too_long", r"the text is too long"),
    ("twice_named", r"two profiles have this name"),
    ("other_name", r"stands in (?P<file>\S+)"),
    ("max_registers", r"max_registers is not within 1 and (?P<most>\d+)"),
    ("negative_pause", r"a pause is negative"),
    ("no_point", r"has no point"),
    ("span_ends", r"a readable span ends before it begins or leaves the address space"),
    ("span_function", r"a readable span has a function that is no read"),
    ("spans_overlap", r"readable spans overlap"),
    ("overlap", r"points overlap at function (?P<function>\d+) address (?P<address>\S+)"),
    ("unknown_quantity", r"unknown quantity.*"),
    ("bit_function", r"a bit is read by function 1 or 2, and they give nothing else"),
    ("too_wide", r"the point is wider than one request"),
    ("outside", r"stands outside the readable spans"),
    ("no_phase", r"a single-phase terminal has no such phase"),
    ("unknown_unit", r"unknown unit (?P<unit>.+)"),
    ("other_unit", r"unit (?P<unit>\S+) is no unit of (?P<name>.+)"),
    ("scale_zero", r"scale is zero"),
    ("ratio", r"ratio (?P<ratio>\S+) does not apply to (?P<name>.+)"),
    ("type", r"type (?P<type>\S+) does not suit the quantity"),
    ("absent_wide", r"an absent pattern is wider than the point"),
    ("one_request", r"does not fit one request"),
    ("address_space", r"leaves the address space"),
    ("no_read", r"its function is no read"),
    ("no_write", r"its function is no write"),
    ("given_twice", r"(?P<what>quantity|freeze of each|control) (?P<name>\S+) is given twice"),
    ("extends", r"extends (?P<name>\S+), which is no profile of its own"),
    ("unknown_key", r"unknown key '(?P<word>[^']*)'"),
    ("missing_key", r"key '(?P<word>[^']*)' is missing"),
    ("none_of", r"(?P<value>.+) is none of \[(?P<words>.+)\]"),
    ("no_kind", r"(?P<value>.+) is no (?P<kind>int|str|Decimal|bool)"),
    ("list", r"a list is expected"),
    ("table", r"a table is expected"),
    ("toml_newline", rf"Expected newline or end of document after a statement{AT}"),
    ("toml_value", rf"Invalid value{AT}"),
    ("toml_twice", rf"Cannot (?:overwrite a value|declare .+ twice|mutate .+){AT}"),
    ("toml_equals", rf"Expected '=' after a key in a key/value pair{AT}"),
    ("toml_array", rf"Unclosed array{AT}"),
    ("toml_inline", rf"Unclosed inline table{AT}"),
    ("toml_string", rf"(?:Unterminated string|Expected .+ string|Illegal character '.n'){AT}"),
    ("toml_key", rf"Invalid (?:initial character for a key part|statement){AT}"),
    ("toml", rf"(?P<said>.+){AT}"),
)


def in_words(why: str) -> str:
    """Say why a text is refused.

    Args:
        why: as the check said it, with the place before it where it is not the whole.
    """
    place, reason = "", why
    if found := WHERE.match(why):
        kind = KINDS.get(found["kind"], found["kind"])
        place = t(f"profiles.where.{kind}", name=found["rest"].strip().replace(" at ", " @ "))
        reason = why[found.end() :]
    for key, pattern in REASONS:
        if said := re.fullmatch(pattern, reason):
            facts = {name: value or "—" for name, value in said.groupdict().items()}
            reason = t(f"profiles.why.{key}", **facts)
            break
    return t("profiles.at_place", place=place, reason=reason) if place else reason
