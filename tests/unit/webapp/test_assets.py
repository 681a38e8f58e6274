"""Browser files: built once, whole or not at all, and refused in one sentence."""

import json
import re
import shutil
import stat
from pathlib import Path

import pytest

from webapp import assets
from webapp.assets import FRONTEND, AssetsRefused, addresses, ensure

ICON = (
    '<svg\n  xmlns="http://www.w3.org/2000/svg"\n  stroke-width="2"\n>\n'
    '  <path stroke="none" d="M0 0h24v24H0z" fill="none" />\n  <path d="M10 5a2 2" />\n</svg>\n'
)
TEMPLATES = FRONTEND.parent / "templates"
NPM = """#!/bin/sh
echo run >> "{log}"
mkdir -p node_modules && cp -r "{packages}"/. node_modules/
"""


@pytest.fixture
def frontend(tmp_path: Path) -> Path:
    folder = tmp_path / "frontend"
    folder.mkdir()
    (folder / "package.json").write_text("{}")
    (folder / "package-lock.json").write_text('{"lockfileVersion": 3}')
    (folder / "icons.txt").write_text("bell\n# a remark\n\nbell\n")
    return folder


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """What npm would install, in small."""
    folder = tmp_path / "packages"
    for source in (*assets.FILES.values(), f"{assets.ICONS}/bell.svg"):
        file = folder / source
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(ICON if source.endswith(".svg") else source)
    return folder


@pytest.fixture
def npm_runs(tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program called npm that copies the packages and keeps count."""
    log = tmp_path / "npm.log"
    log.touch()
    install_program(tmp_path, NPM.format(log=log, packages=packages), monkeypatch)
    return log


def install_program(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    for name in ("npm", "node"):
        (folder / name).write_text(text)
        (folder / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def runs(log: Path) -> int:
    return len(log.read_text().splitlines())


def test_exactly_the_listed_files_are_built(tmp_path: Path, frontend: Path, npm_runs: Path) -> None:
    dist = tmp_path / "static" / "dist"
    assert ensure(frontend=frontend, dist=dist, cache=tmp_path / "cache")
    assert {file.name for file in dist.iterdir()} == {*assets.FILES, "icons.svg", "stamp.txt"}
    assert runs(npm_runs) == 1


def test_nothing_is_done_while_the_stamp_is_current(
    tmp_path: Path, frontend: Path, npm_runs: Path
) -> None:
    dist = tmp_path / "dist"
    ensure(frontend=frontend, dist=dist, cache=tmp_path / "cache")
    assert not ensure(frontend=frontend, dist=dist, cache=tmp_path / "cache")
    assert runs(npm_runs) == 1


def test_another_icon_is_built_without_another_download(
    tmp_path: Path, frontend: Path, packages: Path, npm_runs: Path
) -> None:
    dist, cache = tmp_path / "dist", tmp_path / "cache"
    (packages / assets.ICONS / "bolt.svg").write_text(ICON)
    ensure(frontend=frontend, dist=dist, cache=cache)
    (frontend / "icons.txt").write_text("bell\nbolt\n")
    assert ensure(frontend=frontend, dist=dist, cache=cache)
    assert 'id="bolt"' in (dist / "icons.svg").read_text()
    assert runs(npm_runs) == 1


def test_another_lock_file_is_installed_anew(
    tmp_path: Path, frontend: Path, npm_runs: Path
) -> None:
    dist, cache = tmp_path / "dist", tmp_path / "cache"
    ensure(frontend=frontend, dist=dist, cache=cache)
    (frontend / "package-lock.json").write_text('{"lockfileVersion": 3, "x": 1}')
    assert ensure(frontend=frontend, dist=dist, cache=cache)
    assert runs(npm_runs) == 2


def test_icons_become_symbols_that_take_their_colour_from_the_page(
    tmp_path: Path, frontend: Path, npm_runs: Path
) -> None:
    dist = tmp_path / "dist"
    ensure(frontend=frontend, dist=dist, cache=tmp_path / "cache")
    sprite = (dist / "icons.svg").read_text()
    assert '<symbol id="bell" viewBox="0 0 24 24" fill="none" stroke="currentColor"' in sprite
    assert '<path d="M10 5a2 2" />' in sprite
    assert "stroke-width" not in sprite
    assert "M0 0h24v24H0z" not in sprite
    assert runs(npm_runs) == 1


def test_a_failed_download_is_one_sentence_and_leaves_the_old_files(
    tmp_path: Path, frontend: Path, npm_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dist, cache = tmp_path / "dist", tmp_path / "cache"
    ensure(frontend=frontend, dist=dist, cache=cache)
    before = {file.name: file.read_text() for file in dist.iterdir()}
    complaint = "npm error code ENOTFOUND\nnpm error network request to the registry failed.\n"
    install_program(tmp_path, f"#!/bin/sh\nprintf '{complaint}' >&2\nexit 1\n", monkeypatch)
    (frontend / "package-lock.json").write_text("{}")
    with pytest.raises(AssetsRefused) as refused:
        ensure(frontend=frontend, dist=dist, cache=cache)
    assert str(refused.value) == (
        "The browser packages could not be downloaded: network request to the registry failed."
    )
    assert {file.name: file.read_text() for file in dist.iterdir()} == before
    assert runs(npm_runs) == 1


def test_a_download_that_failed_is_tried_again(
    tmp_path: Path, frontend: Path, npm_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dist, cache, good = (
        tmp_path / "dist",
        tmp_path / "cache",
        (tmp_path / "bin" / "npm").read_text(),
    )
    install_program(tmp_path, "#!/bin/sh\nexit 1\n", monkeypatch)
    with pytest.raises(AssetsRefused):
        ensure(frontend=frontend, dist=dist, cache=cache)
    assert not dist.exists()
    install_program(tmp_path, good, monkeypatch)
    assert ensure(frontend=frontend, dist=dist, cache=cache)
    assert runs(npm_runs) == 1


def test_a_package_without_its_file_leaves_no_half_folder(
    tmp_path: Path, frontend: Path, packages: Path, npm_runs: Path
) -> None:
    (packages / assets.FILES["echarts.min.js"]).unlink()
    dist = tmp_path / "dist"
    with pytest.raises(AssetsRefused, match=r"lacks the file echarts\.min\.js"):
        ensure(frontend=frontend, dist=dist, cache=tmp_path / "cache")
    assert not dist.exists()
    assert not (tmp_path / "build").exists()
    assert runs(npm_runs) == 1


def test_without_node_the_sentence_says_what_to_install(
    tmp_path: Path, frontend: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(AssetsRefused, match="install Node 20"):
        ensure(frontend=frontend, dist=tmp_path / "dist", cache=tmp_path / "cache")


def test_an_installed_wheel_brings_finished_files_and_builds_nothing(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / "stamp.txt").write_text("whatever\n")
    assert not ensure(frontend=tmp_path / "none", dist=dist, cache=tmp_path / "cache")
    shutil.rmtree(dist)
    with pytest.raises(AssetsRefused, match="missing"):
        ensure(frontend=tmp_path / "none", dist=dist, cache=tmp_path / "cache")


def test_an_address_changes_with_the_content(tmp_path: Path) -> None:
    (tmp_path / "css").mkdir()
    sheet = tmp_path / "css" / "base.css"
    sheet.write_text("a {}")
    asset = addresses(tmp_path, "/static")
    first = asset("css/base.css")
    assert first.startswith("/static/css/base.css?v=")
    assert asset("css/base.css") == first
    sheet.write_text("a { color: red; }")
    assert addresses(tmp_path, "/static")("css/base.css") != first
    assert asset("css/none.css") == "/static/css/none.css"


def test_the_lock_file_pins_versions_and_carries_no_download_addresses() -> None:
    lock = json.loads((FRONTEND / "package-lock.json").read_text())
    wanted = json.loads((FRONTEND / "package.json").read_text())["dependencies"]
    assert all("resolved" not in package for package in lock["packages"].values())
    installed = {
        name.removeprefix("node_modules/"): package["version"]
        for name, package in lock["packages"].items()
        if name
    }
    assert {name: installed[name] for name in wanted} == wanted
    assert wanted["htmx.org"] == "4.0.1"


def test_every_icon_a_template_names_is_in_the_sprite() -> None:
    listed = set((FRONTEND / "icons.txt").read_text().split())
    named = {
        (page.name, icon)
        for page in TEMPLATES.rglob("*.html")
        for icon in re.findall(r"""(?:\bicon\(|\bic=)\s*'([a-z0-9-]+)'""", page.read_text("utf-8"))
    }
    assert sorted((page, icon) for page, icon in named if icon not in listed) == []


def test_pages_keep_the_strict_content_security_policy() -> None:
    inline = re.compile(
        r"""<style|\sstyle=|\son[a-z]+=["']|<script(?![^>]*(?:\ssrc=|application/json))"""
    )
    found = [
        (page.name, hit)
        for page in TEMPLATES.rglob("*.html")
        for hit in inline.findall(page.read_text("utf-8"))
    ]
    assert found == []
