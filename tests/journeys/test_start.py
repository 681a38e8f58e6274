"""What can go wrong before the office opens: one clear sentence, non-zero exit."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.conftest import ROOT, RunningOffice

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for parent in (tmp_path, *tmp_path.parents):
        if parent.owner() == Path("~").expanduser().owner() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o711)
    return tmp_path


def start(folder: Path, **more: str) -> tuple[int, str]:
    """Try to start; give the exit code and the last line said."""
    office = RunningOffice(folder)
    done = subprocess.run(
        [sys.executable, "-m", "webapp", "office", "--no-demo"],
        cwd=ROOT,
        env=office.env | more,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr.strip().splitlines()[-1]


def test_a_port_in_use_is_said(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, said = start(folder, GRIDHALL_PORT=port)
    assert code == 1
    assert f"127.0.0.1:{port} is in use" in said
    assert "GRIDHALL_PORT" in said


def test_a_folder_that_is_none_is_said(folder: Path) -> None:
    (folder / "file").write_text("not a folder", encoding="utf-8")
    code, said = start(folder, GRIDHALL_DATA_DIR=str(folder / "file"))
    assert code == 1
    assert "cannot be written" in said


def test_a_data_folder_of_another_major_is_refused_and_left_alone(folder: Path) -> None:
    home = folder / "postgres"
    home.mkdir()
    (home / "PG_VERSION").write_text("13\n", encoding="ascii")
    code, said = start(folder)
    assert code == 1
    assert "PostgreSQL 13" in said
    assert (home / "PG_VERSION").read_text(encoding="ascii") == "13\n"


def test_a_setting_that_cannot_be_read_is_named(folder: Path) -> None:
    code, said = start(folder, GRIDHALL_WEB_THREADS="many")
    assert code == 1
    assert "GRIDHALL_WEB_THREADS" in said
    assert "many" in said


def test_without_a_network_the_first_start_says_so(folder: Path) -> None:
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    for name in ("requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    done = subprocess.run(
        [folder / "scripts" / "run"],
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PIP_NO_INDEX": "1",
             "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "no network" in done.stderr.strip().splitlines()[-1]


def test_ctrl_c_stops_every_process(folder: Path) -> None:
    office = RunningOffice(folder)
    office.env |= {"GRIDHALL_DEMO": "0"}
    log = (folder / "office.out").open("ab")
    office.process = subprocess.Popen(
        [sys.executable, "-m", "webapp", "office", "--no-demo"],
        cwd=ROOT,
        env=office.env,
        stdout=log,
        stderr=log,
    )
    log.close()
    office.wait(office.is_ready, "the office to open", seconds=90)
    children = {name: office.child(name) for name in ("poller", "worker", "web", "postgres")}
    assert None not in children.values()
    office.stop(signal.SIGINT)
    assert office.process.returncode == 0
    alive = [name for name, pid in children.items() if Path(f"/proc/{pid}").exists()]
    assert alive == []


def test_children_do_not_outlive_a_killed_office(folder: Path) -> None:
    office = RunningOffice(folder)
    log = (folder / "office.out").open("ab")
    office.process = subprocess.Popen(
        [sys.executable, "-m", "webapp", "office", "--no-demo"],
        cwd=ROOT,
        env=office.env,
        stdout=log,
        stderr=log,
    )
    log.close()
    office.wait(office.is_ready, "the office to open", seconds=90)
    children = [office.child(name) for name in ("poller", "worker", "web", "postgres")]
    assert None not in children
    office.process.kill()
    office.process.wait()
    office.process = None
    office.wait(
        lambda: not [pid for pid in children if pid and running(pid)],
        "the children to end with their parent",
    )


def running(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
        return not state.split()[0].startswith("Z")
    except OSError:
        return False
