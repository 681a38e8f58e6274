"""Profiles: what is shipped loads, and what contradicts itself is refused with the reason."""

from dataclasses import replace
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest

from foundation.datafiles import DataFileRefused
from metering.modbus.errors import ProfileRefused
from metering.modbus.frames import check_frames, read_frames
from metering.modbus.profile import Point, Profile, Span, check, load_profiles
from tests.factories.registers import trial_profile

SHIPPED = [
    "abb_b23",
    "acrel_adl400",
    "chint_dtsu666",
    "demo_single",
    "demo_terminal",
    "eastron_sdm630",
    "gavazzi_em340",
    "schneider_iem3000",
    "schneider_iem3050",
    "schneider_pm5100",
    "schneider_pm5100_as_printed",
    "sunspec_203",
]


def profile_of(*points: Point, **changes: object) -> Profile:
    narrow = {"readable": (Span(3, 0, 99), Span(2, 0, 7))}
    return trial_profile(*(points or (a_point(),)), **narrow | changes)


def a_point(**changes: object) -> Point:
    point = Point(quantity="u_a", function=3, address=0, type="u16", unit="V", scale=Decimal("0.1"))
    return replace(point, **changes)


def shipped_text(name: str) -> str:
    return files("metering.profiles").joinpath(f"{name}.toml").read_text(encoding="utf-8")


def test_the_shipped_profiles_load_and_name_their_source() -> None:
    profiles = load_profiles()
    assert sorted(profiles) == SHIPPED
    assert all(profile.source for profile in profiles.values())


def test_invented_profiles_say_so() -> None:
    profiles = load_profiles()
    invented = [name for name in SHIPPED if profiles[name].confidence == "invented"]
    assert invented == ["demo_single", "demo_terminal"]


@pytest.mark.parametrize("name", SHIPPED)
def test_the_frames_beside_a_profile_hold_the_values_they_name(name: str) -> None:
    check_frames(load_profiles()[name], read_frames(name))


def test_frames_that_say_otherwise_are_refused() -> None:
    frames = read_frames("demo_single")
    wrong = replace(frames, expected={**frames.expected, "u_a": Decimal("218.8")})
    with pytest.raises(ProfileRefused, match="u_a"):
        check_frames(load_profiles()["demo_single"], wrong)


def test_an_office_adds_profiles_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        """
        name = "own"
        title_zh = "自备"
        title_en = "own"
        maker = "us"
        source = "our manual"
        confidence = "C"
        phases = 1
        points = [{ quantity = "u_a", function = 4, address = 0, type = "u16", unit = "V" }]
        readable = [{ function = 4, first = 0, last = 9 }]
        """,
        encoding="utf-8",
    )
    assert load_profiles(tmp_path)["own"].points[0].scale == 1


def test_a_profile_without_source_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('name = "own"\n', encoding="utf-8")
    with pytest.raises(DataFileRefused, match="source"):
        load_profiles(tmp_path)


def test_a_profile_under_another_name_than_its_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(shipped_text("demo_single"), encoding="utf-8")
    with pytest.raises(ProfileRefused, match=r"other\.toml"):
        load_profiles(tmp_path)


def test_an_office_may_not_shadow_a_shipped_profile(tmp_path: Path) -> None:
    (tmp_path / "demo_single.toml").write_text(shipped_text("demo_single"), encoding="utf-8")
    with pytest.raises(ProfileRefused, match="two profiles"):
        load_profiles(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProfileRefused):
        load_profiles(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("profile", "why"),
    [
        (profile_of(source=" "), "no source"),
        (profile_of(max_registers=126), "max_registers"),
        (profile_of(min_gap_ms=-1), "negative"),
        (replace(profile_of(), points=()), "no point"),
        (profile_of(a_point(), a_point(address=1)), "given twice"),
        (profile_of(readable=(Span(3, 9, 0),)), "ends before"),
        (profile_of(readable=(Span(3, 0, 0x10000),)), "leaves the address space"),
        (profile_of(readable=(Span(6, 0, 9),)), "no read"),
        (profile_of(readable=(Span(3, 0, 9), Span(3, 9, 12))), "spans overlap"),
        (profile_of(a_point(type="u32"), a_point(quantity="u_b", address=1)), "points overlap"),
        (profile_of(a_point(quantity="taste")), "unknown quantity"),
        (profile_of(a_point(quantity="u_b"), phases=1), "no such phase"),
        (profile_of(a_point(unit="furlong")), "unknown unit"),
        (profile_of(a_point(unit="kW")), "no unit of"),
        (profile_of(a_point(scale=Decimal(0))), "zero"),
        (profile_of(a_point(scale=Decimal("nan"))), "zero"),
        (profile_of(a_point(ratio="ct")), "ratio ct"),
        (profile_of(a_point(function=2)), "function 1 or 2"),
        (profile_of(a_point(type="bit")), "does not suit"),
        (
            profile_of(a_point(quantity="cover_open", unit="bit", scale=Decimal(1))),
            "does not suit",
        ),
        (
            profile_of(
                a_point(quantity="cover_open", unit="bit", function=2, type="bit", scale=Decimal(2))
            ),
            "no scale",
        ),
        (profile_of(a_point(absent=(0x10000,))), "wider than the point"),
        (profile_of(a_point(type="u32"), max_registers=1), "wider than one request"),
        (profile_of(a_point(address=100)), "outside the readable"),
        (profile_of(a_point(type="u32", address=99)), "outside the readable"),
    ],
)
def test_a_profile_that_contradicts_itself_is_refused(profile: Profile, why: str) -> None:
    with pytest.raises(ProfileRefused, match=why):
        check(profile)
