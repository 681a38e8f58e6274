"""Tomorrow's load: history, models, published vintages, the page, and a kill in the middle."""

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from foundation import clock
from tests.journeys.conftest import RunningOffice, signed_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WORDS = {
    "zh-CN": {
        "peak": "预测最高负荷", "data": "看数据", "interval": "80% 区间下限", "before": "日前",
        "short": "历史不足，不作猜测", "naive": "上周同日", "ask": "重新预测明日",
    },
    "en": {
        "peak": "Forecast peak", "data": "Show data", "interval": "80% interval, low",
        "before": "before", "short": "Too little history", "naive": "Last week",
        "ask": "Forecast tomorrow again",
    },
}  # fmt: skip
TOMORROW = "SELECT count(*) FROM loadmgmt.forecast WHERE subject = 'system' AND target_day = :day"


def tomorrow() -> str:
    """Give the office's next day."""
    return (clock.business_date() + timedelta(days=1)).isoformat()


def yesterday() -> str:
    """Give the office's last day; of today nothing is measured before a quarter past midnight."""
    return (clock.business_date() - timedelta(days=1)).isoformat()


def published(town: RunningOffice) -> int:
    """Count the vintages of tomorrow."""
    return int(town.value(TOMORROW, day=tomorrow()) or 0)


def idle(town: RunningOffice) -> bool:
    """Whether no forecast waits or is being made."""
    waits = town.value(
        "SELECT count(*) FROM jobs.procrastinate_jobs"
        " WHERE task_name = 'loadmgmt.forecast_subject' AND status IN ('todo', 'doing')"
    )
    return waits == 0


def test_the_office_opens_and_its_forecasts_are_made_by_the_worker(town: RunningOffice) -> None:
    town.wait(lambda: published(town) >= 2, "tomorrow's forecast by both models", seconds=90)
    town.wait(lambda: idle(town), "the forecasts of the days before", seconds=180)
    judged = town.value("SELECT count(*) FROM loadmgmt.forecast_accuracy WHERE wape IS NOT NULL")
    assert judged == 14  # seven days, two models, each said to be made afterwards


def test_a_worker_killed_while_it_forecasts_leaves_whole_vintages_or_none(
    town: RunningOffice, browser: Any
) -> None:
    before = published(town)
    with signed_in(browser, town, "dispatcher") as page:
        page.goto(f"{town.url}/forecast")
        page.get_by_role("button", name="重新预测明日").click()
        expect(page.locator(".ps-toast").first).to_contain_text("已安排")
        town.wait(
            lambda: town.value(
                "SELECT count(*) = 0 FROM jobs.procrastinate_jobs WHERE status = 'todo'"
                " AND task_name = 'loadmgmt.forecast_subject'"
            ),  # or done already: after midnight there is nothing new to make
            "the forecast to be begun",
        )
        town.kill("worker")
        assert published(town) in {before, before + 2}
        town.wait(lambda: idle(town), "the forecast in spite of a dead worker", seconds=90)
        # in the first hour of a day nothing new is known, and nothing new is made
        assert published(town) in {before, before + 2}
        rows = page.locator("[id^=vintage-]")
        expect(rows).to_have_count(published(town))  # by itself


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_a_dispatcher_sees_tomorrows_load_and_how_far_to_believe_it(
    town: RunningOffice, browser: Any, lang: str
) -> None:
    say = WORDS[lang]
    told = town.command("forecast", "run", "--subject", "system")
    assert re.search(r"peak [\d.]+ kW at \d\d:\d\d|published already", told)
    with signed_in(browser, town, "dispatcher", lang=lang) as page:
        page.goto(f"{town.url}/forecast")
        page.locator("select[name=day]").select_option(tomorrow())
        page.wait_for_url(re.compile(f"day={tomorrow()}"))
        expect(page.locator(".kpi").first).to_contain_text(say["peak"])
        expect(page.locator(".kpi").first).to_contain_text("80%")
        expect(page.locator("#load-chart canvas")).to_be_visible(timeout=10_000)
        expect(page.locator("[id^=vintage-]").first).to_contain_text(say["before"])
        page.locator("#load-chart-twin summary").click()
        expect(page.locator("#load-chart-twin thead")).to_contain_text(say["interval"])
        expect(page.locator("#load-chart-twin tbody tr")).to_have_count(96)
        page.locator("#model-seasonal_naive a").click()
        page.wait_for_url(re.compile("model=seasonal_naive"))
        expect(page.locator(".card-header .ps-tag").first).to_have_text(say["naive"])
        page.goto(f"{town.url}/forecast?day={yesterday()}")
        expect(page.locator("#error-chart canvas")).to_be_visible(timeout=10_000)
        page.locator("select[name=subject]").select_option("feeder:1")
        page.wait_for_url(re.compile("subject=feeder"))
        expect(page.locator(".banner")).to_contain_text(say["short"])
        with page.expect_download() as download:
            page.locator("a[href^='/forecast/export']").click()
        assert download.value.suggested_filename.endswith(".csv")
    with signed_in(browser, town, "clerk", phone=True, lang=lang) as phone:
        phone.goto(f"{town.url}/forecast")
        expect(phone.locator("#load-chart canvas")).to_be_visible(timeout=10_000)
        expect(phone.get_by_role("button", name=say["ask"])).to_have_count(0)
        assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
