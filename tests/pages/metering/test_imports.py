"""Lists of devices in the portal: sent, shown row by row, written after confirmation."""

from io import BytesIO

import pytest
from sqlalchemy import text

from foundation.sheets import read_sheet
from tests.factories.webapp import Browser, Page, Portal

HEAD = "area_no,point_no,box_no,supply,meter_no,terminal_no,profile,host,port,unit"


@pytest.fixture(scope="module")
def admin(portal: Portal) -> Browser:
    """Sit an administrator at a browser."""
    return portal.browser("admin")


def send(browser: Browser, *rows: str, name: str = "表.csv") -> Page:
    content = "\n".join((HEAD, *rows)).encode()
    return browser.post("/devices/import", file=(BytesIO(content), name))


def meters(portal: Portal, start: str) -> int:
    with portal.work() as session:
        return int(
            session.execute(
                text("SELECT count(*) FROM metering.meter WHERE starts_with(meter_no, :s)"),
                {"s": start},
            ).scalar_one()
        )


def test_a_list_is_shown_first_and_written_when_confirmed(portal: Portal, admin: Browser) -> None:
    area = portal.town.area[1]
    good = f"{area},P-L-1,B-1,单相,M-L-1,ZD-L-1,demo_single,192.0.2.1,502,1"
    wrong = f"{area},P-L-2,B-1,单相,M-L-2,ZD-L-2,nobody,192.0.2.1,502,999"
    sent = send(admin, good, wrong)
    page = admin.follow(sent)
    assert meters(portal, "M-L-") == 0
    (line,) = page.row_texts()
    assert "999" in line
    assert len(admin.get(f"{sent.location}?view=new").row_texts()) == 1
    done = admin.post(f"{sent.location}/write")
    assert done.location == sent.location
    assert meters(portal, "M-L-") == 1
    again = admin.post(f"{sent.location}/write")
    assert again.status == 409
    assert portal.town.people["admin"].name in again.said
    assert admin.get(sent.location).tree.all("form", action=f"{sent.location}/write") == []
    listed = admin.get("/devices/import").row_texts()
    assert any("表.csv" in row for row in listed)


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2", b"\x89PNG\xff\xff", b"PK\x03\x04"])
def test_a_file_that_is_no_list_is_refused_with_a_sentence(admin: Browser, content: bytes) -> None:
    page = admin.post("/devices/import", file=(BytesIO(content), "a.xlsx"))
    assert page.status == 422
    assert page.problems == []
    assert page.tree.all(class_="errsum")


def test_no_file_at_all_is_said(admin: Browser) -> None:
    assert admin.post("/devices/import").status == 422


def test_a_list_without_a_new_row_is_not_written(admin: Browser) -> None:
    sent = send(admin, "TG-0,P,B,单相,M,,,,,")
    assert admin.post(f"{sent.location}/write").status == 422
    assert admin.get("/devices/import/999999").status == 404


def test_the_template_is_a_list_that_is_understood(admin: Browser) -> None:
    answer = admin.get("/devices/import/template.xlsx").answer
    lines = read_sheet(answer.data, most=10)
    assert lines[0].cells[0] == "area_no"
    page = admin.post("/devices/import", file=(BytesIO(answer.data), "t.xlsx"))
    assert page.status == 302


@pytest.mark.parametrize("role", ["dispatcher", "agent", "supervisor"])
def test_only_those_who_keep_the_archive_import(portal: Portal, role: str) -> None:
    browser = portal.browser(role)
    assert browser.get("/devices/import").status == 403
    assert send(browser, "x").status == 403
