"""What a process of the office works with."""

from pathlib import Path

from foundation.db import reading_only
from foundation.office import Office
from foundation.settings import Settings
from webapp import database


def test_an_engine_is_opened_at_first_use_and_given_back(own: database.Addresses) -> None:
    office = Office(Settings.from_env({}), own.office, "试验")
    office.close()
    with reading_only(office.engine) as session:
        name = session.connection().exec_driver_sql("SHOW application_name").scalar_one()
    assert name.startswith("gridhall-")
    assert office.engine is office.engine
    office.close()


def test_a_secret_is_the_offices_own(tmp_path: Path) -> None:
    one, other = (
        Office(Settings.from_env({"GRIDHALL_DATA_DIR": str(tmp_path / name)}), "") for name in "ab"
    )
    assert one.secret("TOKEN") == one.secret("TOKEN") != other.secret("TOKEN")
