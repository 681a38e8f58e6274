"""What the portal forgets by itself: old drafts with their files, failures that count no more."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation import clock, housekeeping
from foundation.actor import Role
from foundation.attachments import (
    MEGABYTE,
    FileRefused,
    attachments,
    content_of,
    draft_subject,
    keep,
)
from foundation.errors import NotFound
from foundation.settings import settings
from tests.factories import foundation
from tests.factories.applications import PDF
from tests.factories.foundation import SYSTEM
from webapp import drafts, lockout
from webapp.lockout import WINDOW, TooManyTries, count_failure, refuse_locked

LATER = drafts.KEPT + timedelta(days=1)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the files of these tests apart."""
    monkeypatch.setenv("GRIDHALL_DATA_DIR", str(tmp_path))


def test_a_draft_is_kept_sealed_under_its_person_and_the_last_save_counts(
    session: Session,
) -> None:
    clerk, other = (foundation.person(session, Role.CLERK) for _ in range(2))
    drafts.save(session, clerk, "apps:new", {"phone": "13000000421"})
    drafts.save(session, clerk, "apps:new", {"phone": "13000000422", "promised": ["a", "b"]})
    found = drafts.load(session, clerk, "apps:new")
    assert found == {"phone": "13000000422", "promised": ["a", "b"]}
    assert drafts.load(session, other, "apps:new") == {}
    written = session.execute(text("SELECT content FROM webapp.draft")).scalar_one()
    assert b"13000000422" not in bytes(written)
    drafts.drop(session, clerk, "apps:new")
    assert drafts.load(session, clerk, "apps:new") == {}


def test_a_draft_has_an_end(session: Session) -> None:
    clerk = foundation.person(session, Role.CLERK)
    with pytest.raises(drafts.DraftTooLong):
        drafts.save(session, clerk, "apps:new", {"note": "x" * drafts.LONGEST})


def test_drafts_and_the_files_put_aside_with_them_are_forgotten_after_thirty_days(
    session: Session,
) -> None:
    clerk = foundation.person(session, Role.CLERK)
    drafts.save(session, clerk, "apps:new", {"name": "林小满"})
    file = keep(session, clerk, subject=draft_subject(clerk), name="a.pdf", content=PDF)
    drafts.forget_old(session, SYSTEM)
    assert drafts.load(session, clerk, "apps:new")
    with clock.frozen(clock.now() + LATER):
        assert drafts.load(session, clerk, "apps:new") == {}
        drafts.forget_old(session, SYSTEM)
    assert attachments(session, [file.id]) == {}
    assert content_of(file).read_bytes() == PDF
    housekeeping.clear_orphaned_files(session, SYSTEM)
    with pytest.raises(NotFound):
        content_of(file)


def test_a_file_stays_as_long_as_a_draft_names_it(session: Session) -> None:
    clerk = foundation.person(session, Role.CLERK)
    file = keep(session, clerk, subject=draft_subject(clerk), name="a.pdf", content=PDF)
    with clock.frozen(clock.now() + LATER - timedelta(days=5)):
        drafts.save(session, clerk, "apps:new", {"files": [["owner_id", file.id]]})
    with clock.frozen(clock.now() + LATER):
        drafts.forget_old(session, SYSTEM)
        assert attachments(session, [file.id])
        drafts.drop(session, clerk, "apps:new")
        drafts.forget_old(session, SYSTEM)
    assert attachments(session, [file.id]) == {}


def test_a_file_some_record_names_is_never_cleared_away(session: Session) -> None:
    clerk = foundation.person(session, Role.CLERK)
    file = keep(session, clerk, subject=("application", "YK-1"), name="a.pdf", content=PDF)
    again = keep(session, clerk, subject=("application", "YK-2"), name="b.pdf", content=PDF)
    assert again.sha256 == file.sha256
    housekeeping.clear_orphaned_files(session, SYSTEM)
    assert content_of(file).read_bytes() == PDF


def test_a_file_too_large_is_refused_and_leaves_nothing(session: Session) -> None:
    clerk = foundation.person(session, Role.CLERK)
    large = PDF + bytes(settings().upload_mb * MEGABYTE)
    with pytest.raises(FileRefused) as refused:
        keep(session, clerk, subject=("application", "YK-1"), name="a.pdf", content=large)
    assert refused.value.facts["why"] == "too_large"
    assert session.execute(text("SELECT count(*) FROM foundation.attachment")).scalar_one() == 0


def test_failures_lock_for_their_time_and_are_then_forgotten(session: Session) -> None:
    for _ in range(3):
        refuse_locked(session, "number:YK-1")
        count_failure(session, "number:YK-1", most=3)
    with pytest.raises(TooManyTries):
        refuse_locked(session, "address:1", "number:YK-1")
    refuse_locked(session, "number:YK-2")
    lockout.forget_old(session, SYSTEM)
    with pytest.raises(TooManyTries):
        refuse_locked(session, "number:YK-1")
    with clock.frozen(clock.now() + 2 * WINDOW + timedelta(seconds=1)):
        refuse_locked(session, "number:YK-1")
        lockout.forget_old(session, SYSTEM)
    assert session.execute(text("SELECT count(*) FROM webapp.public_failure")).scalar_one() == 0
