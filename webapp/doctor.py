"""`gridhall doctor`: what is wrong, and how to mend it."""

import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from sqlalchemy import text

from foundation.audit import first_broken_seal
from foundation.clock import business_date
from foundation.db import reading_only
from foundation.errors import GridhallError
from foundation.flow.calendar import office_calendar
from foundation.jobs import failed_count
from foundation.office import Office
from foundation.settings import Settings
from metering.api.commissioning import TlsFiles
from webapp import database
from webapp.office import LEAST_DISK_BYTES
from webapp.sentences import sentence

_TELL = {True: "ok    ", False: "WRONG "}


@dataclass(frozen=True, slots=True)
class Found:
    """One thing looked at."""

    what: str
    well: bool
    mend: str = ""


def report(settings: Settings) -> int:
    """Print what was found; give 1 if anything is wrong."""
    found = list(examine(settings))
    for one in found:
        print(f"{_TELL[one.well]}{one.what}" + ("" if one.well else f"\n      → {one.mend}"))
    return 0 if all(one.well for one in found) else 1


def examine(settings: Settings) -> Iterator[Found]:
    """Look at everything that can be looked at."""
    yield Found(f"Python {sys.version.split()[0]}", sys.version_info >= (3, 11), "use Python 3.11+")
    free = shutil.disk_usage(settings.data_dir if settings.data_dir.exists() else "/").free
    yield Found(
        f"disk: {free // 1_000_000} MB free",
        free >= LEAST_DISK_BYTES,
        f"free space on the disk of {settings.data_dir}",
    )
    yield from _database(settings)
    yield from _certificates(settings)
    for name, port in (
        ("web", settings.port),
        ("worker", settings.worker_metrics_port),
        ("poller", settings.poller_metrics_port),
    ):
        yield _process(name, port)
    covered = office_calendar().covers(business_date())
    yield Found(
        "holiday calendar covers this year",
        covered,
        "add the year to foundation/holidays.toml, or limits count weekends only",
    )


def _database(settings: Settings) -> Iterator[Found]:
    try:
        office = Office(settings, database.addresses(settings).office, "doctor", pool=1)
        with closing(office), reading_only(office.engine) as session:
            session.execute(text("SELECT 1"))
            yield Found("database answers", well=True)
            current = database.schema_is_current(office.engine)
            yield Found("schema is current", current, "run: gridhall db upgrade")
            if not current:
                return
            failed = failed_count(session)
            yield Found(
                f"jobs that gave up: {failed}", failed == 0, "see them on the page Background jobs"
            )
            broken = first_broken_seal(session)
            yield Found(
                "audit seals fit",
                broken is None,
                f"seal {broken} does not fit its entries: compare with a backup",
            )
    except GridhallError as error:
        yield Found("database answers", well=False, mend=sentence(error))


def _certificates(settings: Settings) -> Iterator[Found]:
    tls = TlsFiles.of(settings)
    if tls is None:
        return
    try:
        tls.context()
    except OSError as error:
        mend = f"see GRIDHALL_METER_TLS_CA, _CERT and _KEY: {error}"
        yield Found("certificates for terminals", well=False, mend=mend)
    else:
        yield Found("certificates for terminals can be used", well=True)


def _process(name: str, port: int) -> Found:
    mend = f"start it (scripts/run, or its service gridhall-{name}); its log says why it ended"
    if port == 0:
        return Found(f"{name}: has no health page", well=True)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=3):
            return Found(f"{name} is ready", well=True)
    except urllib.error.HTTPError as error:
        said = error.read(300).decode(errors="replace")
        return Found(f"{name} is up and not ready: {said}", well=False, mend=mend)
    except OSError:
        return Found(f"{name} answers on port {port}", well=False, mend=mend)
