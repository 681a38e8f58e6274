"""Benchmarks are found, run and reported; what they measure is no test."""

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from webapp import bench

MEASURE = {"name", "ours", "reference", "reference_name", "ratio", "unit", "target", "holds"}


@pytest.fixture(scope="module")
def report() -> ModuleType:
    spec = spec_from_file_location("bench_report", bench.FOLDER / "_report.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_list_names_each_benchmark_with_one_line() -> None:
    said = CliRunner().invoke(bench.bench, ["--list"])
    assert said.exit_code == 0
    assert [line.split()[0] for line in said.output.splitlines()] == list(bench.benchmarks())
    assert {"alert-latency", "poll"} <= bench.benchmarks().keys()
    assert all(about.endswith(".") for about in bench.benchmarks().values())


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    said = CliRunner().invoke(bench.bench, ["speed"])
    assert said.exit_code == 1
    assert "There is no benchmark speed; there are: alert-latency, " in said.output


def test_without_a_checkout_one_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "FOLDER", tmp_path / "scripts" / "bench")
    said = CliRunner().invoke(bench.bench, ["poll", "--json"])
    assert said.exit_code == 1
    assert said.output == (
        "Error: Benchmarks run from a checkout of the source; this installation has none.\n"
    )


def test_a_benchmark_prints_one_json_object(capfd: pytest.CaptureFixture[str]) -> None:
    few = ["--rounds", "1", "--connections", "3", "--requests", "2"]
    assert bench.run("poll", ["--json", *few]) == 0
    result = json.loads(capfd.readouterr().out)
    assert result.keys() == {"bench", "commit", "machine", "measures", "notes"}
    assert result["bench"] == "poll"
    assert all(one.keys() == MEASURE for one in result["measures"])
    by_name = {one["name"]: one for one in result["measures"]}
    assert by_name["cpu_per_request_vs_pymodbus"]["ratio"] > 0


def test_without_json_it_prints_a_table(
    report: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    one = report.Measure("cost", "us", 2.0, 4.0, "theirs 1.0", 0.5, 0.25)
    report.publish("poll", [one], notes=["a note"], as_json=False)
    table = capsys.readouterr().out.splitlines()
    assert table[4].split() == [
        "cost",
        "2",
        "4",
        "theirs",
        "1.0",
        "0.5",
        "us",
        "ratio",
        "<=",
        "0.25",
        "NO",
    ]
    assert table[-1] == "a note"


def test_a_ratio_is_the_median_of_the_rounds_own_ratios(report: ModuleType) -> None:
    one = report.compare(
        "cost", "us", [1.0, 9.0, 2.0], [2.0, 3.0, 2.0], reference_name="theirs", target=1.0
    )
    assert (one.ours, one.reference, one.ratio, one.holds) == (2.0, 2.0, 1.0, True)


def test_a_reference_that_could_not_be_run_is_null_and_judges_nothing(report: ModuleType) -> None:
    one = report.compare("cost", "us", [1.0], [], reference_name="theirs", target=1.0)
    assert (one.reference, one.ratio, one.holds) == (None, None, None)


def test_a_measure_without_a_reference_is_held_against_its_own_target(report: ModuleType) -> None:
    assert report.Measure("latency", "ms", 20.0, target=1000.0).holds is True
    assert report.Measure("latency", "ms", 2000.0, target=1000.0).holds is False
    assert report.Measure("latency", "ms", 20.0).holds is None
