"""How a telephone number is written, so that the same one is found again."""

import re

_ABROAD = re.compile(r"^(\+|00)86")


def plain_number(said: str) -> str:
    """Give a number's digits without the country's code: +86 130 0000 0421 is 13000000421."""
    joined = re.sub(r"[\s\-()]", "", said)
    return re.sub(r"\D", "", _ABROAD.sub("", joined))
