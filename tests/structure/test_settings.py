"""Settings: every variable is documented and used, and nothing else looks at the environment."""

import dataclasses
import re

import pytest

from foundation.settings import Settings, Variable
from tests.structure.source import files, in_rooms, text

FIELDS = dataclasses.fields(Settings)
SETTINGS = "foundation/settings.py"
MAY_LOOK = {
    SETTINGS: "reads them",
    "webapp/bench.py": "hands it on to the programs it measures",
    "webapp/office.py": "tells its children that the demo is shown",
}


def variable(field: "dataclasses.Field[object]") -> Variable:
    found = field.metadata["variable"]
    assert isinstance(found, Variable)
    return found


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_variable_says_what_it_means(field: "dataclasses.Field[object]") -> None:
    spec = variable(field)
    assert re.fullmatch(r"[A-Z][A-Z_]+", spec.name)
    assert len(spec.meaning) > 10
    if field.name.endswith(("_s", "_hours", "_minutes")):
        assert spec.unit


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_variable_is_used(field: "dataclasses.Field[object]") -> None:
    others = [one for one in files() if one.suffix in {".py", ".sh"} and str(one) != SETTINGS]
    used = [one for one in others if f".{field.name}" in text(one) and one.parts[0] != "tests"]
    named = [one for one in files() if one.parts[0] in {"deploy", "scripts"}]
    assert used or any(variable(field).name in text(one) for one in named)


def test_nothing_else_looks_at_the_environment() -> None:
    looking = {str(one) for one in in_rooms() if re.search(r"os\.(environ|getenv)", text(one))}
    assert looking <= set(MAY_LOOK)


def test_secrets_are_never_given_a_default() -> None:
    assert [v.name for v in Settings.variables() if v.secret and v.default is not None] == []
