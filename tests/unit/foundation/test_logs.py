"""Logs are one JSON object a line."""

import json
import logging
from collections.abc import Iterator

import pytest

from foundation import logs


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """Give the root logger, put back as it was."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.mark.usefixtures("root")
def test_a_line_says_when_who_what_and_its_facts(capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("web")
    logging.getLogger("webapp").info("request %s", "done", extra={"ms": 3, "path": "/告警"})
    (line,) = lines(capsys)
    at = line.pop("at")
    assert str(at).endswith("+00:00")
    assert line == {
        "level": "info",
        "process": "web",
        "logger": "webapp",
        "message": "request done",
        "ms": 3,
        "path": "/告警",
    }


@pytest.mark.usefixtures("root")
def test_an_error_brings_its_trace(capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("web")
    try:
        int("broken")
    except ValueError:
        logging.getLogger("webapp").exception("failed")
    (line,) = lines(capsys)
    assert "ValueError: invalid literal" in str(line["error"])


@pytest.mark.usefixtures("root")
def test_what_is_less_severe_than_asked_for_is_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.start("web", "warning")
    logging.getLogger("webapp").info("quiet")
    logging.getLogger("apscheduler").info("quiet")
    assert lines(capsys) == []
