"""Poll, reading, alert, dispatcher, repair ticket, crew, proof by the meter, closed."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import RunningOffice, signed_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WORDS = {
    "zh-CN": {
        "acked": "已确认", "read": "召测", "repair": "派工单", "open": "建单", "dispatch": "派发",
        "accept": "接单", "arrive": "到场", "begin": "措施已落实，开始处理",
        "restore": "恢复送电并回单", "archive": "归档", "under": "电压越下限",
        "call_back": "待回访",
        "archived": "已归档", "inspect": "派现场检查", "sent": "已派发",
    },
    "en": {
        "acked": "Acked", "read": "Read now", "repair": "Repair ticket", "open": "Open ticket",
        "dispatch": "Dispatch", "accept": "Accept", "arrive": "Arrive",
        "begin": "Measures done, begin", "restore": "Restore supply", "archive": "Archive",
        "under": "Under-voltage", "call_back": "Call-back",
        "archived": "Archived", "inspect": "Inspection",
        "sent": "Sent",
    },
}  # fmt: skip


def button(page: Any, word: str) -> Any:
    """Find a button or a link that works as one, by its word."""
    pattern = re.compile(rf"^\s*{re.escape(word)}")
    return page.get_by_role("button", name=pattern).first


@pytest.mark.parametrize(("lang", "meter"), [("zh-CN", "M-0501-0001"), ("en", "M-0501-0002")])
def test_a_sag_is_seen_repaired_proved_and_closed(
    town: RunningOffice, browser: Any, lang: str, meter: str
) -> None:
    say = WORDS[lang]
    with signed_in(browser, town, "dispatcher", lang=lang) as page:
        page.goto(f"{town.url}/alerts")
        row = page.locator("tr[data-row]", has_text=meter)
        expect(row).to_have_count(0)
        town.command("simulate", "sag", meter, "--to", "0.85")
        # the row comes by itself, once, and stays one
        expect(row).to_have_count(1)
        expect(row).to_contain_text(say["under"])
        row.locator("a.open").click()
        expect(page.locator("#panel")).to_contain_text(meter)
        expect(page.locator("#curve canvas")).to_be_visible(timeout=10_000)
        page.keyboard.press("a")
        expect(page.locator("#panel .card-header .st")).to_have_text(say["acked"])
        page.keyboard.press("r")
        expect(page.locator("#panel .ps-tag.ok")).to_be_visible(timeout=10_000)
        expect(row).to_have_count(1)
        button(page, say["repair"]).click()
        dialog = page.locator("#make-ticket")
        expect(dialog).to_be_visible()
        dialog.get_by_role("button", name=say["open"]).click()
        page.wait_for_url(re.compile(r"/tickets/GD-"))
        ticket_no = page.url.rsplit("/", 1)[1]
        button(page, say["dispatch"]).click()
        dialog = page.locator("#move-dispatch")
        dialog.locator("select[name=crew_id]").select_option(index=0)
        dialog.get_by_role("button", name=say["dispatch"]).click()
        expect(page.locator("#ticket")).to_contain_text(say["sent"])
    crew = crew_of(town, ticket_no)
    with signed_in(browser, town, crew, phone=True, lang=lang) as phone:
        work_in_the_field(phone, town, ticket_no, say)
        town.command("simulate", "clear", meter)
    with signed_in(browser, town, "dispatcher", lang=lang) as page:
        page.goto(f"{town.url}/tickets/{ticket_no}")
        # the account has a telephone: its customer is called back before the archive
        state = page.locator("#ticket h1 ~ .st").first
        expect(state).to_have_text(say["call_back"])
    with signed_in(browser, town, "supervisor", lang=lang) as page:
        page.goto(f"{town.url}/tickets/{ticket_no}")
        button(page, say["archive"]).click()
        dialog = page.locator("#move-archive")
        dialog.locator("[name=note]").fill("客户已在现场确认")
        dialog.get_by_role("button", name=say["archive"]).click()
        expect(page.locator("#ticket h1 ~ .st").first).to_have_text(say["archived"])
    assert_closed(town, ticket_no, meter)


def crew_of(town: RunningOffice, ticket_no: str) -> str:
    """Give the sign-in of somebody of the crew it was given to."""
    return str(
        town.value(
            "SELECT min(a.username) FROM callcenter.ticket t"
            " JOIN callcenter.crew_member m ON m.crew_id = t.crew_id"
            " JOIN webapp.account a ON a.person_id = m.person_id WHERE t.ticket_no = :no",
            no=ticket_no,
        )
    )


def work_in_the_field(phone: Any, town: RunningOffice, ticket_no: str, say: dict[str, str]) -> None:
    """Accept, arrive, make safe, work and report, on a phone."""
    phone.goto(f"{town.url}/m/tasks")
    phone.get_by_text(ticket_no).click()
    phone.get_by_role("button", name=say["accept"], exact=True).click()
    expect(phone.get_by_role("button", name=say["arrive"], exact=True)).to_be_visible()
    town.between_steps()
    phone.get_by_role("button", name=say["arrive"], exact=True).click()
    # not before every safety measure is confirmed, and nothing ticked is lost
    phone.locator("input[name=measures]").first.check()
    phone.get_by_role("button", name=say["begin"]).click()
    expect(phone.locator("[data-error-summary]")).to_be_visible()
    expect(phone.locator("input[name=measures]").first).to_be_checked()
    for box in phone.locator("input[name=measures]").all():
        box.check()
    phone.get_by_role("button", name=say["begin"]).click()
    expect(phone.locator("select[name=cause]")).to_be_visible()
    town.between_steps()
    phone.locator("select[name=cause]").select_option("loose_connection")
    phone.fill("textarea[name=work_done]", "紧固接线端子")
    phone.get_by_role("button", name=say["restore"]).click()
    expect(phone.locator("#task .banner")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def assert_closed(town: RunningOffice, ticket_no: str, meter: str) -> None:
    """Alert and ticket are closed, each with its whole history, and there was only one."""
    moves = town.value(
        "SELECT string_agg(h.move, ' ' ORDER BY h.version) FROM foundation.flow_history h"
        " JOIN callcenter.ticket t ON t.case_id = h.case_id WHERE t.ticket_no = :no",
        no=ticket_no,
    )
    assert moves == "start dispatch accept arrive begin restore proved ask_customer archive"
    past = town.value(
        "SELECT string_agg(h.what, ' ' ORDER BY h.id) FROM loadmgmt.alert_history h"
        " JOIN callcenter.ticket t ON t.alert_id = h.alert_id WHERE t.ticket_no = :no",
        no=ticket_no,
    )
    assert past == "raised acknowledged ticket_opened cleared"
    alerts = town.value(
        "SELECT count(*) FROM loadmgmt.alert a JOIN metering.meter m USING (point_id)"
        " WHERE m.meter_no = :no",
        no=meter,
    )
    assert alerts == 1


@pytest.mark.parametrize(
    ("fault", "meter", "kind"),
    [("cover_open", "M-0701-0003", "cover_open"), ("ct_bypass", "M-0301-0008", "current_loss")],
)
def test_a_theft_alert_becomes_an_inspection_with_its_evidence(
    town: RunningOffice, browser: Any, fault: str, meter: str, kind: str
) -> None:
    town.command("simulate", fault, meter)
    with signed_in(browser, town, "dispatcher") as page:
        page.goto(f"{town.url}/alerts")
        row = page.locator("tr[data-row]", has_text=meter)
        expect(row).to_have_count(1)
        row.locator("a.open").click()
        button(page, "派现场检查").click()
        page.locator("#make-ticket").get_by_role("button", name="建单").click()
        page.wait_for_url(re.compile(r"/tickets/JC-"))
        ticket_no = page.url.rsplit("/", 1)[1]
        words = {"cover_open": "表盖已打开", "current_loss": "其他相带负荷"}[kind]
        expect(page.locator("#ticket")).to_contain_text(words)
        button(page, "派发").click()
        page.locator("#move-dispatch select").select_option(index=0)
        with page.expect_navigation():
            page.locator("#move-dispatch").get_by_role("button", name="派发").click()
    with signed_in(browser, town, "inspector", phone=True) as phone:
        phone.goto(f"{town.url}/m/tasks/{ticket_no}")
        phone.get_by_role("button", name="接单", exact=True).click()
        phone.get_by_role("button", name="到场", exact=True).click()
        phone.locator("select[name=finding]").select_option("theft")
        phone.fill("input[name=second_inspector]", "郑立春")
        phone.fill("textarea[name=seen]", "表前接线，封印缺失")
        phone.get_by_role("button", name="提交检查结果").click()
        expect(phone.locator("#task .banner")).to_be_visible()
    closed = town.wait(
        lambda: town.value(
            "SELECT a.state FROM loadmgmt.alert a JOIN callcenter.ticket t ON t.alert_id = a.id"
            " WHERE t.ticket_no = :no AND a.ended_at IS NOT NULL",
            no=ticket_no,
        ),
        "the alert to be closed with the finding",
    )
    assert closed == "cleared"
    town.command("simulate", "clear", meter)
    alert = town.value("SELECT alert_id FROM callcenter.ticket WHERE ticket_no = :no", no=ticket_no)
    with signed_in(browser, town, "dispatcher") as page:
        page.goto(f"{town.url}/alerts?view=today&id={alert}")
        expect(page.locator("#panel .tl")).to_contain_text("窃电")


def test_an_area_without_power_is_one_row_and_ends_by_itself(
    town: RunningOffice, browser: Any
) -> None:
    with signed_in(browser, town, "dispatcher") as page:
        page.goto(f"{town.url}/alerts")
        town.command("simulate", "outage", "TG-0502")
        row = page.locator("tr[data-row]", has_text="TG-0502")
        expect(row).to_have_count(1)
        expect(row).to_contain_text("台区失电")
        expect(page.locator("tr[data-row]", has_text="M-0502")).to_have_count(0)
        assert re.search(r"outage at TG-0502 \(\d+ meters\)", town.command("simulate", "list"))
        town.command("simulate", "clear", "TG-0502")
        expect(row).to_have_count(0)
