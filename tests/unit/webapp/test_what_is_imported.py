"""What a process carries from its start: heavy libraries wait until somebody needs them."""

import subprocess
import sys

import pytest

HEAVY = ("prophet", "pandas", "cmdstanpy", "matplotlib", "holidays")


@pytest.mark.parametrize("part", ["webapp.app", "webapp.cli", "webapp.worker", "webapp.wiring"])
def test_a_process_starts_without_what_only_a_forecast_needs(part: str) -> None:
    said = f"import sys, {part}; print([one for one in {HEAVY} if one in sys.modules])"
    run = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
