"""The environment: what it may say, what is refused, and where secrets are kept."""

import stat
import threading
from pathlib import Path

import pytest

from foundation.settings import FolderRefused, Secrets, SettingRefused, Settings


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = Settings.from_env({})
    assert (settings.port, settings.session_hours, settings.lock_after) == (8600, 12, 5)
    assert (settings.secure_cookies, settings.database_url) == (False, None)
    assert str(settings.time_zone) == "Asia/Shanghai"
    assert settings.data_dir.is_absolute()


def test_an_empty_variable_counts_as_not_set() -> None:
    assert Settings.from_env({"GRIDHALL_PORT": ""}).port == 8600


@pytest.mark.parametrize(
    ("name", "raw", "field", "value"),
    [
        ("GRIDHALL_PORT", "9000", "port", 9000),
        ("GRIDHALL_LEADER_TIMEOUT", "2.5", "leader_timeout_s", 2.5),
        ("GRIDHALL_SECURE_COOKIES", "Yes", "secure_cookies", True),
        ("GRIDHALL_SECURE_COOKIES", "false", "secure_cookies", False),
        ("BRAND_NAME_EN", "Our Power", "brand_en", "Our Power"),
    ],
)
def test_a_variable_is_read_in_its_own_kind(name: str, raw: str, field: str, value: object) -> None:
    assert getattr(Settings.from_env({name: raw}), field) == value


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("GRIDHALL_PORT", "eighty"),
        ("GRIDHALL_LEADER_TIMEOUT", "soon"),
        ("GRIDHALL_SECURE_COOKIES", "perhaps"),
        ("OFFICE_TIME_ZONE", "Mars/Olympus"),
    ],
)
def test_a_variable_that_cannot_be_read_is_refused_with_its_meaning(name: str, raw: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        Settings.from_env({name: raw})
    meaning = next(v.meaning for v in Settings.variables() if v.name == name)
    assert refused.value.facts == {"name": name, "value": raw, "meaning": meaning}


@pytest.mark.parametrize("raw", ["too short", "ab" * 31, "ab" * 33, "xy" * 32])
def test_a_key_that_could_seal_nothing_is_refused_at_the_start_and_not_shown(raw: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        Settings.from_env({"GRIDHALL_SEAL_KEY": raw})
    assert refused.value.facts["value"] == "***"
    assert raw not in str(refused.value)


def test_only_keys_are_secret_and_no_variable_stands_twice() -> None:
    variables = Settings.variables()
    names = [variable.name for variable in variables]
    assert len(names) == len(set(names))
    assert {v.name for v in variables if v.secret} == {
        "GRIDHALL_SECRET_KEY",
        "GRIDHALL_SEAL_KEY",
        "GRIDHALL_CTI_SECRET",
    }


def test_keys_the_environment_leaves_open_are_made_once_and_kept(tmp_path: Path) -> None:
    env = {"GRIDHALL_DATA_DIR": str(tmp_path / "office")}
    first, second = Settings.from_env(env), Settings.from_env(env)
    assert not (tmp_path / "office").exists()
    assert first.sealing_key() == second.sealing_key()
    assert first.sealing_key().hex() != first.cookie_key()
    assert len(first.sealing_key()) == 32


def test_keys_of_the_environment_win_over_kept_ones(tmp_path: Path) -> None:
    env = {"GRIDHALL_DATA_DIR": str(tmp_path), "GRIDHALL_SEAL_KEY": "ab" * 32}
    assert Settings.from_env(env).sealing_key().hex() == "ab" * 32


def test_only_the_owner_may_read_the_secrets_file(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path / "deep" / "secrets.env")
    one = secrets.get("ONE")
    assert stat.S_IMODE(secrets.path.stat().st_mode) == 0o600
    two = secrets.get("TWO")
    assert one != two
    assert (secrets.get("ONE"), secrets.get("TWO")) == (one, two)
    assert stat.S_IMODE(secrets.path.stat().st_mode) == 0o600
    left = {path.name for path in secrets.path.parent.iterdir()}
    assert left <= {"secrets.env", "secrets.lock"}


def test_a_folder_that_cannot_be_written_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, no folder", encoding="ascii")
    with pytest.raises(FolderRefused) as refused:
        Secrets(tmp_path / "taken" / "secrets.env").get("ONE")
    assert refused.value.facts["folder"] == str(tmp_path / "taken")
    assert refused.value.facts["said"]


def test_two_who_ask_at_once_for_the_first_time_get_the_same_secret(tmp_path: Path) -> None:
    begin = threading.Barrier(4)
    found: list[str] = []

    def ask() -> None:
        begin.wait(timeout=5)
        found.append(Secrets(tmp_path / "secrets.env").get("ONE"))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 4


def test_lines_that_are_no_secrets_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "secrets.env"
    file.write_text("# a remark\n\nONE=kept=whole\n", encoding="utf-8")
    assert Secrets(file).get("ONE") == "kept=whole"
