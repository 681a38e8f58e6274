"""Meters: found in four ways, shown with their day, read on demand."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from foundation import clock
from tests.factories import customers, metering
from tests.factories.metering import Fitted, reading, stored
from tests.factories.webapp import Browser, Page, Portal


@pytest.fixture(scope="module")
def meter(portal: Portal) -> Fitted:
    """Fit a meter for a customer nobody else resembles."""
    with portal.work() as session:
        fitted = metering.meter(session, place=portal.town.area, profile="demo_single")
        customers.account(session, fitted.point_id, name="何谷雨", address="白果坪 77 号")
        now = clock.now()
        stored(
            session,
            *(
                reading(fitted.meter_id, now - timedelta(minutes=15 * n), u_a=221.5, i_a=2.0,
                        p=440.0)
                for n in range(3)
            ),
        )  # fmt: skip
    return fitted


def listed(page: Page) -> list[str]:
    return [link.text for link in page.tree.all("a") if link.attrs["href"].startswith("/meters/M")]


def account_no(portal: Portal, meter: Fitted) -> str:
    with portal.work() as session:
        return str(
            session.execute(
                text("SELECT account_no FROM customers.account WHERE point_id = :id"),
                {"id": meter.point_id},
            ).scalar_one()
        )


@pytest.mark.parametrize("how", ["meter", "part of it", "account", "customer", "address", "box"])
def test_a_meter_is_found_by_its_number_its_account_its_customer_and_its_address(
    portal: Portal, dispatcher: Browser, meter: Fitted, how: str
) -> None:
    said = {
        "meter": meter.meter_no,
        "part of it": meter.meter_no[:-1].lower(),
        "account": account_no(portal, meter),
        "customer": "谷雨",
        "address": "白果坪 77",
        "box": "B-9",
    }[how]
    page = dispatcher.get(f"/meters?q={said}")
    assert page.status == 200
    assert meter.meter_no in listed(page)
    if how in {"meter", "account", "customer", "address"}:
        assert listed(page) == [meter.meter_no]
        assert "何谷雨" in page.row_texts()[0]


@pytest.mark.parametrize("search", ["无此人", "%", "_", "M-9%", "\x00"])
def test_what_nobody_has_finds_nothing(dispatcher: Browser, search: str) -> None:
    page = dispatcher.get(f"/meters?q={search}")
    assert page.status in {200, 400}
    assert listed(page) == []


def test_a_long_list_goes_on_where_it_ended(portal: Portal, dispatcher: Browser) -> None:
    with portal.work() as session:
        area = metering.area(session)
        for _ in range(52):
            metering.meter(session, place=area)
    first = dispatcher.get("/meters")
    assert len(first.row_texts()) == 50
    follow = first.tree.one("a", rel="next").attrs["href"]
    second = dispatcher.get(follow)
    assert set(listed(first)).isdisjoint(listed(second))
    assert sorted(listed(first) + listed(second)) == listed(first) + listed(second)


@pytest.mark.parametrize("tab", ["live", "curves", "daily", "events", "nothing", ""])
def test_every_tab_opens(dispatcher: Browser, meter: Fitted, tab: str) -> None:
    page = dispatcher.get(f"/meters/{meter.meter_no}?tab={tab}")
    assert page.status == 200
    assert page.tree.one("h1").text == meter.meter_no
    assert "221.5" in page.said or tab in {"daily", "events"}


@pytest.mark.parametrize("curve", ["voltage", "current", "power", "nothing"])
@pytest.mark.parametrize("day", ["", "2026-01-01", "2026-13-01", "9999-01-01"])
def test_every_curve_of_any_day_is_drawn(
    dispatcher: Browser, meter: Fitted, curve: str, day: str
) -> None:
    page = dispatcher.get(f"/meters/{meter.meter_no}?part=curve&curve={curve}&day={day}")
    assert page.status == 200
    assert page.tree.all("table")


def test_the_quarter_that_goes_on_is_drawn_no_later_than_now(portal: Portal) -> None:
    one = portal.meter()
    noon = clock.day_span(clock.business_date())[0] + timedelta(hours=12)
    with portal.work() as session:
        for minutes in (-15, 5):
            at = noon + timedelta(minutes=minutes)
            stored(session, reading(one.meter_id, at, u_a=221.5))
    with clock.frozen(noon + timedelta(minutes=7)):
        page = portal.browser("dispatcher").get(f"/meters/{one.meter_no}?part=curve")
    assert [line.split()[0] for line in page.row_texts()][-2:] == ["12:00", "12:07"]


def test_what_happened_at_a_meter_is_on_its_page(portal: Portal, dispatcher: Browser) -> None:
    one = portal.meter()
    alert = portal.alert(meter=one)
    ticket_no = portal.ticket(title="换表", point_id=one.point_id)
    page = dispatcher.get(f"/meters/{one.meter_no}?tab=events")
    assert [link.attrs["href"] for link in page.tree.all("a", class_="open")] == [
        f"/alerts?id={alert.id}"
    ]
    assert ticket_no in page.said
    assert "换表" in page.said


def test_days_are_listed_newest_first(portal: Portal, dispatcher: Browser, meter: Fitted) -> None:
    from metering.readings.actions import roll_up_day

    today = clock.business_date()
    with portal.work() as session:
        roll_up_day(session, today)
    lines = dispatcher.get(f"/meters/{meter.meter_no}?tab=daily").row_texts()
    assert lines
    assert today.strftime("%m-%d") in lines[0]


def test_asking_for_a_reading_leads_back_and_shows_that_it_was_asked(
    portal: Portal, dispatcher: Browser, meter: Fitted
) -> None:
    page = dispatcher.post(f"/meters/{meter.meter_no}/read", back="/tickets?view=due")
    assert page.location == "/tickets?view=due"
    with portal.work() as session:
        states = session.execute(
            text("SELECT state FROM metering.read_request WHERE meter_id = :id"),
            {"id": meter.meter_id},
        ).scalars()
        assert list(states) == ["asked"]
    assert portal.town.people["dispatcher"].name in dispatcher.get(f"/meters/{meter.meter_no}").html


@pytest.mark.parametrize("back", ["", "//evil.example", "/\\evil.example", "/\t/evil.example"])
def test_asking_for_a_reading_never_leads_to_another_site(
    dispatcher: Browser, meter: Fitted, back: str
) -> None:
    page = dispatcher.post(f"/meters/{meter.meter_no}/read", back=back)
    assert page.location == f"/meters/{meter.meter_no}"


def test_a_meter_without_a_terminal_offers_no_reading(portal: Portal, dispatcher: Browser) -> None:
    bare = portal.meter(profile=None)
    page = dispatcher.get(f"/meters/{bare.meter_no}")
    assert page.tree.all("form", action=f"/meters/{bare.meter_no}/read") == []
    assert dispatcher.post(f"/meters/{bare.meter_no}/read").status == 409


def test_a_number_no_meter_has_is_not_found(dispatcher: Browser) -> None:
    assert dispatcher.get("/meters/M-0").status == 404
    assert dispatcher.post("/meters/M-0/read").status == 404


def test_an_administrator_sees_meters_and_reads_none(portal: Portal, meter: Fitted) -> None:
    admin = portal.browser("admin")
    assert admin.get(f"/meters/{meter.meter_no}").status == 200
    assert admin.post(f"/meters/{meter.meter_no}/read").status == 403
