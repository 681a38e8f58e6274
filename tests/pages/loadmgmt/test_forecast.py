"""The forecast page: what was forecast, what came of it, and in words what is not known."""

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import text

from foundation import clock
from foundation.actor import Role
from foundation.audit import entries
from loadmgmt.forecast.actions import make_forecasts
from loadmgmt.forecast.types import LoadSource
from metering.api.network import feeders
from metering.api.types import SYSTEM, Subject, SubjectKind
from tests.factories import loadmgmt
from tests.factories.foundation import SYSTEM as ACTOR
from tests.factories.webapp import Browser, Portal

READERS = (Role.DISPATCHER, Role.SUPERVISOR, Role.ADMIN, Role.CLERK)
MAKERS = (Role.DISPATCHER, Role.SUPERVISOR, Role.ADMIN)


@pytest.fixture(scope="module")
def feeder(portal: Portal) -> Subject:
    """Forecast the system, and try a feeder that has six days."""
    today = clock.business_date()
    start, _ = clock.day_span(today)
    with portal.work() as session:
        line = Subject(SubjectKind.FEEDER, feeders(session)[0].feeder_id)
        loadmgmt.loads(session, until=start + timedelta(hours=1), days=20)
        loadmgmt.loads(session, until=start, days=6, subject=line, source=LoadSource.METERS)
        for subject in (SYSTEM, line):
            for back in (0, 1):
                day = today - timedelta(days=back)
                make_forecasts(
                    session, ACTOR, subject, days=[day], known_until=clock.day_span(day)[0]
                )
    return line


@pytest.fixture(autouse=True)
def _there(feeder: Subject) -> None:
    assert feeder


def test_a_day_shows_peak_errors_versions_and_where_the_history_is_from(
    dispatcher: Browser,
) -> None:
    page = dispatcher.get("/forecast")
    assert page.status == 200
    assert page.problems == []
    for words in ("预测最高负荷", "今日实际最高", "昨日误差 · 上周同日", "调度遥测", "事后补算"):
        assert words in page.said
    assert len(page.tree.all("div", id="load-chart")) == 1
    rows = page.row_texts()
    assert any("上周同日" in row and "v1" in row for row in rows)
    assert sum("00:15" in row for row in rows) >= 1  # the table beside the chart


def test_yesterday_shows_what_became_of_its_forecast(dispatcher: Browser) -> None:
    yesterday = clock.business_date() - timedelta(days=1)
    page = dispatcher.get(f"/forecast?day={yesterday.isoformat()}")
    assert "当日误差 · 上周同日" in page.said
    assert len(page.tree.all("div", id="error-chart")) == 1


def test_too_little_history_is_said_in_words(dispatcher: Browser, feeder: Subject) -> None:
    page = dispatcher.get(f"/forecast?subject={feeder.key}")
    assert "历史不足，不作猜测" in page.said
    assert "上周同日：已有 6 天完整数据，需要 14 天。" in page.said
    assert "Prophet：已有 6 天完整数据，需要 28 天。" in page.said
    assert "电表合计" in page.said


def test_days_without_data_cannot_be_chosen(dispatcher: Browser, feeder: Subject) -> None:
    page = dispatcher.get(f"/forecast?subject={feeder.key}")
    options = page.tree.all("select", name="day")[0].all("option")
    closed = {one.attrs["value"] for one in options if "disabled" in one.attrs}
    today = clock.business_date()
    assert (today - timedelta(days=20)).isoformat() in closed
    assert (today - timedelta(days=2)).isoformat() not in closed
    assert today.isoformat() not in closed


def test_a_day_nobody_forecast_says_so(dispatcher: Browser) -> None:
    ago = clock.business_date() - timedelta(days=5)
    page = dispatcher.get(f"/forecast?day={ago.isoformat()}")
    assert "这一天没有发布过预测。" in page.said


def test_the_part_that_changes_is_answered_alone(dispatcher: Browser) -> None:
    page = dispatcher.get("/forecast?part=body", script=True)
    assert page.tree.all("div", id="forecast-body")
    assert not page.tree.all("h1")


@pytest.mark.parametrize("odd", ["day=never", "day=1900-01-01", "day=9999-12-31", "model=magic"])
def test_odd_addresses_show_a_page_all_the_same(dispatcher: Browser, odd: str) -> None:
    assert dispatcher.get(f"/forecast?{odd}").status == 200


def test_a_load_that_does_not_exist_is_not_found(dispatcher: Browser) -> None:
    assert dispatcher.get("/forecast?subject=feeder:999999").status == 404
    assert dispatcher.get("/forecast?subject=%27").status == 404
    assert dispatcher.post("/forecast/ask", subject="point:1").status == 404


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
def test_who_may_see_forecasts_and_who_may_ask_for_one(portal: Portal, role: Role) -> None:
    browser = portal.browser(role.value)
    page = browser.get("/forecast")
    assert page.status == (200 if role in READERS else 403)
    if role in READERS:
        assert ("重新预测明日" in page.said) == (role in MAKERS)
    answer = 403 if role not in MAKERS else 302
    if role is not Role.WALL:  # it has no form to take a token from
        assert browser.post("/forecast/ask", subject="system").status == answer


def test_asking_waits_for_the_worker_and_leaves_its_trace(portal: Portal) -> None:
    browser = portal.browser("supervisor")
    page = browser.follow(browser.post("/forecast/ask", subject="system"))
    assert "已安排按目前已知数据预测明日" in page.said
    tomorrow = (clock.business_date() + timedelta(days=1)).isoformat()
    chosen = [
        one.attrs["value"]
        for one in page.tree.all("select", name="day")[0].all("option")
        if "selected" in one.attrs
    ]
    assert chosen == [tomorrow]
    with portal.work() as session:
        assert entries(session, act="forecast.asked")[0].facts["days"] == [tomorrow]
        waits = session.execute(
            text("SELECT count(*) FROM procrastinate_jobs WHERE lock = 'loadmgmt.forecast'")
        ).scalar_one()
    assert waits >= 1


def test_the_day_can_be_taken_away_as_raw_numbers(portal: Portal) -> None:
    answer = portal.browser("clerk").get("/forecast/export?subject=system").answer
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert len(rows) == 96
    assert float(rows[0]["actual_kw"]) > 0
    assert rows[50]["actual_kw"] == ""  # not measured yet: empty, not zero
    assert float(rows[50]["seasonal_naive_low_kw"]) <= float(rows[50]["seasonal_naive_kw"])


def test_both_languages_say_everything(portal: Portal, feeder: Subject) -> None:
    browser = portal.browser("admin")
    browser.post("/me/language", language="en", next="/home")
    page = browser.get("/forecast")
    assert "Forecast peak" in page.said
    line = browser.get(f"/forecast?subject={feeder.key}")
    assert "6 whole days are known, 14 are needed" in line.said


def test_the_page_asks_as_often_with_many_days_as_with_one(
    portal: Portal, dispatcher: Browser, feeder: Subject
) -> None:
    with portal.counted() as few:
        dispatcher.get(f"/forecast?subject={feeder.key}")
    with portal.counted() as many:
        dispatcher.get("/forecast")
    assert len(many) <= len(few) + 2
    assert len(many) < 40
