"""Lists of devices: judged row by row, written once, all of it or nothing."""

from collections.abc import Mapping

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation.audit import entries
from foundation.errors import NotFound
from foundation.settings import settings
from metering.devices.actions import remove_meter
from metering.devices.importing import import_card, look_over, send_list, write_list
from metering.devices.profiles import ProfileCard, profile_cards
from metering.devices.queries import fleet
from metering.devices.types import (
    CheckedRow,
    ImportDone,
    ImportEmpty,
    ImportState,
    ImportUnreadable,
    PollTarget,
    RowVerdict,
)
from tests.factories.foundation import SYSTEM
from tests.factories.metering import LONG_AGO, area, meter

HEAD = (
    "台区编号,point_no,box_no,supply,meter_no,ct,pt,terminal_no,profile,host,port,unit,interval_s,"
    "framing,depth,serial_line"
)
SERIAL = {"host": "/dev/ttyS1", "port": "", "framing": "串口", "serial_line": "9600 8e1"}


@pytest.fixture(scope="module")
def profiles() -> Mapping[str, ProfileCard]:
    return profile_cards(settings().data_dir)


def row(area: str, number: int, **other: object) -> str:
    cells: dict[str, object] = {
        "area_no": area, "point_no": f"P-{number}", "box_no": "B-1", "supply": "单相",
        "meter_no": f"M-{number}", "ct": 1, "pt": "", "terminal_no": f"ZD-{number}",
        "profile": "demo_single", "host": "192.0.2.1", "port": 502 + number // 200,
        "unit": number % 200, "interval_s": "", "framing": "", "depth": "", "serial_line": "",
    }  # fmt: skip
    return ",".join(str(one) for one in (cells | other).values())


def sent(session: Session, *rows: str) -> int:
    content = "\n".join((HEAD, *rows)).encode()
    return send_list(session, SYSTEM, file_name="a.csv", content=content)


def judged(session: Session, profiles: Mapping[str, ProfileCard], *rows: str) -> list[CheckedRow]:
    return look_over(session, sent(session, *rows), profiles)


def codes(rows: list[CheckedRow]) -> list[list[str]]:
    return [[problem.code for problem in one.problems] for one in rows]


def count(session: Session, table: str) -> int:
    return int(session.execute(text(f"SELECT count(*) FROM metering.{table}")).scalar_one())


def test_looking_writes_nothing_and_confirming_writes_all(
    session: Session, profiles: Mapping[str, ProfileCard]
) -> None:
    _, area_no, _ = area(session)
    wrong = row("TG-none", 9001)
    number = sent(session, *(row(area_no, n) for n in range(1, 2001)), wrong)
    rows = look_over(session, number, profiles)
    assert count(session, "meter") == 0
    assert [one.verdict for one in rows].count(RowVerdict.NEW) == 2000
    written = write_list(session, SYSTEM, number, profiles)
    assert written == {"points": 2000, "terminals": 2000, "meters": 2000}
    assert count(session, "meter") == len(fleet(session)) == count(session, "asked_span") == 2000


def test_a_list_is_written_once_and_the_audit_says_by_whom(
    session: Session, profiles: Mapping[str, ProfileCard]
) -> None:
    _, area_no, _ = area(session)
    number = sent(session, row(area_no, 1), row(area_no, 2, profile="none"))
    write_list(session, SYSTEM, number, profiles)
    with pytest.raises(ImportDone):
        write_list(session, SYSTEM, number, profiles)
    card = import_card(session, number)
    assert card.state is ImportState.WRITTEN
    assert card.written == {"points": 1, "terminals": 1, "meters": 1}
    facts = entries(session, act="devices.list_written")[0].facts
    assert (facts["meters"], facts["left"]) == (1, 1)
    again = judged(session, profiles, row(area_no, 1))
    assert [one.verdict for one in again] == [RowVerdict.KNOWN]
    with pytest.raises(ImportEmpty):
        write_list(session, SYSTEM, sent(session, row(area_no, 1)), profiles)
    with pytest.raises(NotFound):
        write_list(session, SYSTEM, 10**6, profiles)


def test_an_interval_of_its_own_is_kept_and_none_follows_the_class(
    session: Session, profiles: Mapping[str, ProfileCard]
) -> None:
    _, area_no, _ = area(session)
    number = sent(session, row(area_no, 1, interval_s=900), row(area_no, 2))
    write_list(session, SYSTEM, number, profiles)
    rows = session.execute(
        text("SELECT interval_s, own_interval FROM metering.terminal ORDER BY terminal_no")
    ).all()
    assert [tuple(one) for one in rows] == [(900, True), (3600, False)]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"area_no": "TG-0"}, ["unknown_area"]),
        ({"profile": "none"}, ["unknown_profile"]),
        ({"supply": "三相"}, ["phases"]),
        ({"supply": "四相"}, ["supply"]),
        ({"unit": 248}, ["range"]),
        ({"unit": "eins"}, ["range"]),
        ({"port": 0}, ["range"]),
        ({"ct": "1.5"}, ["range"]),
        ({"interval_s": 7}, ["interval"]),
        ({"host": "a b"}, ["host"]),
        ({"meter_no": ""}, ["empty"]),
        ({"profile": ""}, ["empty"]),
        ({"meter_no": "M 1"}, ["number_form"]),
        ({"ct": "=30"}, ["formula"]),
        ({"framing": "udp"}, ["framing"]),
        ({"depth": 17}, ["range"]),
        ({**SERIAL, "serial_line": "9600"}, ["manner_line"]),
        ({**SERIAL, "serial_line": ""}, ["manner_line"]),
        ({**SERIAL, "framing": "rtu"}, ["manner_device"]),
        ({**SERIAL, "port": 502}, ["port_of_serial"]),
        ({**SERIAL, "host": "/dev/../etc/x", "port": 1}, ["host"]),
        ({"framing": "serial", "serial_line": "9600-8E1"}, ["manner_device"]),
    ],
)
def test_what_is_wrong_with_a_row_is_said(
    session: Session,
    profiles: Mapping[str, ProfileCard],
    other: dict[str, object],
    expected: list[str],
) -> None:
    _, area_no, _ = area(session)
    (one,) = judged(session, profiles, row(area_no, 1, **other))
    assert one.verdict is RowVerdict.WRONG
    assert codes([one]) == [expected]


def test_a_connection_is_talked_to_as_the_list_says_and_one_row_says_it_for_all(
    session: Session, profiles: Mapping[str, ProfileCard]
) -> None:
    _, area_no, _ = area(session)
    listed = sent(
        session,
        row(area_no, 1, host="192.0.2.1"),
        row(area_no, 2, host="192.0.2.2", framing="TLS", port=802, depth=4),
        row(area_no, 3, **SERIAL),
        row(area_no, 4, **SERIAL | {"framing": "", "serial_line": "9600-8E1"}),
        row(area_no, 5, host="192.0.2.3", framing="rtu over tcp", depth=4),
        row(area_no, 6, host="192.0.2.3"),
    )
    assert codes(look_over(session, listed, profiles)) == [[]] * 6
    write_list(session, SYSTEM, listed, profiles)
    assert [(one.port, one.framing, one.depth, one.line) for one in by_number(session)] == [
        (502, "mbap", 1, ""),
        (802, "tls", 4, ""),
        (0, "serial", 1, "9600-8E1"),
        (0, "serial", 1, "9600-8E1"),
        (502, "rtu", 1, ""),
        (502, "rtu", 1, ""),
    ]
    later = sent(session, row(area_no, 7, host="192.0.2.2", port=802))
    write_list(session, SYSTEM, later, profiles)
    assert (by_number(session)[-1].framing, by_number(session)[-1].depth) == ("tls", 4)


def by_number(session: Session) -> list[PollTarget]:
    return sorted(fleet(session), key=lambda one: one.terminal_no)


def test_two_manners_of_one_connection_are_wrong(
    session: Session, profiles: Mapping[str, ProfileCard]
) -> None:
    _, area_no, _ = area(session)
    found = judged(session, profiles, row(area_no, 1, framing="rtu"), row(area_no, 2, depth=2))
    assert codes(found) == [[], ["manner_twice"]]
    assert found[1].problems[0].facts == {"said": "rtu", "line": "2"}
    write_list(session, SYSTEM, sent(session, row(area_no, 1, framing="rtu")), profiles)
    (one,) = judged(session, profiles, row(area_no, 2, framing="tls"))
    assert codes([one]) == [["manner_differs"]]


def test_a_row_with_a_wrong_manner_makes_no_other_wrong(
    session: Session, profiles: Mapping[str, ProfileCard]
) -> None:
    _, area_no, _ = area(session)
    write_list(session, SYSTEM, sent(session, row(area_no, 1, framing="rtu")), profiles)
    rows = (row(area_no, 2), row(area_no, 3, framing="tls"))
    assert codes(judged(session, profiles, *rows)) == [[], ["manner_differs"]]
    write_list(session, SYSTEM, sent(session, *rows), profiles)
    assert [one.framing for one in by_number(session)] == ["rtu", "rtu"]


def test_rows_that_say_the_same_of_two_things_are_wrong(
    session: Session, profiles: Mapping[str, ProfileCard]
) -> None:
    _, area_no, _ = area(session)
    found = judged(
        session,
        profiles,
        row(area_no, 1),
        row(area_no, 2, meter_no="M-1"),
        row(area_no, 3, point_no="P-1"),
        row(area_no, 4, unit=1),
        row(area_no, 5, terminal_no="ZD-1"),
    )
    assert codes(found) == [[], ["twice"], ["twice"], ["address_twice"], ["twice"]]
    assert found[1].problems[0].facts["line"] == "2"


def test_what_stands_already_is_not_overwritten(
    session: Session, profiles: Mapping[str, ProfileCard]
) -> None:
    place = area(session)
    one = meter(session, place=place, profile="demo_single", port=502, unit=9)
    gone = meter(session, place=place)
    remove_meter(session, SYSTEM, gone.meter_no, removed_at=LONG_AGO)
    other = area(session)
    point = session.execute(
        text("SELECT point_no FROM metering.point WHERE id = :id"), {"id": one.point_id}
    ).scalar_one()
    standing = {"point_no": point, "box_no": "B-9-01"}
    found = judged(
        session,
        profiles,
        row(place[1], 1, **standing),
        row(other[1], 2, **{**standing, "point_no": point + " "}),
        row(place[1], 3, meter_no=one.meter_no),
        row(place[1], 4, meter_no=gone.meter_no),
        row(place[1], 5, host="127.0.0.1", unit=9),
    )
    assert codes(found) == [
        ["point_occupied"],
        ["twice"],
        ["meter_elsewhere", "meter_terminal"],
        ["meter_removed"],
        ["address_taken"],
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "no_rows"),
        (HEAD, "no_rows"),
        ("a,b\n1,2", "columns"),
        (f"{HEAD},meter_no\n1", "double"),
    ],
)
def test_a_file_that_is_no_list_is_refused_whole(session: Session, content: str, why: str) -> None:
    with pytest.raises(ImportUnreadable) as refused:
        send_list(session, SYSTEM, file_name="a.csv", content=content.encode())
    assert refused.value.facts["why"] == why
    assert count(session, "device_import") == 0
