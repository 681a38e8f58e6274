"""The environment: what it may say, what is refused, and where secrets are kept."""

import stat
from pathlib import Path

import pytest

from foundation.settings import Secrets, SettingRefused, Settings


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
    first = Settings.from_env(env).with_secrets()
    second = Settings.from_env(env).with_secrets()
    assert first.seal_key == second.seal_key
    assert first.seal_key != first.secret_key
    assert len(bytes.fromhex(first.seal_key or "")) == 32


def test_keys_of_the_environment_win_over_kept_ones(tmp_path: Path) -> None:
    env = {"GRIDHALL_DATA_DIR": str(tmp_path), "GRIDHALL_SEAL_KEY": "ab" * 32}
    assert Settings.from_env(env).with_secrets().seal_key == "ab" * 32


def test_only_the_owner_may_read_the_secrets_file(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path / "deep" / "secrets.env")
    one = secrets.get("ONE")
    assert stat.S_IMODE(secrets.path.stat().st_mode) == 0o600
    two = secrets.get("TWO")
    assert one != two
    assert (secrets.get("ONE"), secrets.get("TWO")) == (one, two)
    assert stat.S_IMODE(secrets.path.stat().st_mode) == 0o600
    assert [path.name for path in secrets.path.parent.iterdir()] == ["secrets.env"]


def test_lines_that_are_no_secrets_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "secrets.env"
    file.write_text("# a remark\n\nONE=kept=whole\n", encoding="utf-8")
    assert Secrets(file).get("ONE") == "kept=whole"
