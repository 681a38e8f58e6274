"""Call, screen pop, outage, repair ticket, crew, proof by the meters, call-back, archive."""

import re
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Error, expect

from tests.journeys.conftest import RunningOffice, signed_in
from tests.journeys.test_1_alert_to_ticket import WORDS as FIELD
from tests.journeys.test_1_alert_to_ticket import button, crew_of, work_in_the_field

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SAY = {
    "zh-CN": {
        "answer": "接听", "hangup": "挂断", "dark": "失压", "kept": "草稿已保存",
        "restored": "已恢复", "archived": "已归档", "new": "待派发", "save": "保存回访",
        "yes": "已解决", "no": "未解决",
    },
    "en": {
        "answer": "Answer", "hangup": "Hang up", "dark": "Dark", "kept": "Draft kept",
        "restored": "Restored", "archived": "Archived", "new": "New", "save": "Save",
        "yes": "Yes", "no": "No",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Street:
    """A transformer area that loses supply, and two of its customers."""

    town: RunningOffice
    area_no: str

    def phone(self, serial: int) -> str:
        """Give the telephone of the customer of a meter: the demo numbers them by account."""
        account_no = self.town.value(
            "SELECT a.account_no FROM customers.account a JOIN metering.meter m USING (point_id)"
            " WHERE m.meter_no = :no",
            no=f"M-{self.area_no[3:]}-{serial:04d}",
        )
        return f"1300000{str(account_no)[-4:]}"

    def outage_no(self) -> str:
        """Give the number of its open outage; there is one at most."""
        return str(
            self.town.value(
                "SELECT o.outage_no FROM loadmgmt.outage o JOIN metering.transformer_area a"
                " ON a.id = o.area_id WHERE a.area_no = :no AND o.kind = 'fault'"
                " AND o.restored_at IS NULL",
                no=self.area_no,
            )
            or ""
        )

    def tickets(self, outage_no: str) -> list[str]:
        """Give the tickets of an outage."""
        found = self.town.value(
            "SELECT string_agg(t.ticket_no, ' ') FROM callcenter.ticket t"
            " JOIN loadmgmt.outage o ON o.id = t.outage_id WHERE o.outage_no = :no",
            no=outage_no,
        )
        return str(found or "").split()


@pytest.mark.parametrize(
    ("lang", "area_no", "content"), [("zh-CN", "TG-0703", True), ("en", "TG-0712", False)]
)
def test_a_call_becomes_an_outage_is_repaired_proved_and_called_back(
    town: RunningOffice, browser: Any, lang: str, area_no: str, *, content: bool
) -> None:
    with town.under_fire() if content else nullcontext():
        the_journey_of_a_call(town, browser, lang, Street(town, area_no), content=content)


def the_journey_of_a_call(
    town: RunningOffice, browser: Any, lang: str, street: Street, *, content: bool
) -> None:
    """Go from a dark street to the archive, or to the reopened ticket."""
    say, area_no = SAY[lang], street.area_no
    town.command("simulate", "outage", area_no)
    town.wait(street.outage_no, "the dark meters to be one outage")
    town.between_steps()
    with signed_in(browser, town, "agent", lang=lang) as page:
        answer_call(page, town, street.phone(1), say)
        expect(page.locator("#meter-card .sev", has_text=say["dark"]).first).to_be_visible()
        fill_in(page)
        expect(page.locator("[data-draft-state]")).to_contain_text(say["kept"])
    town.between_steps()
    # the browser is closed in the middle of the call: nothing typed is lost
    with signed_in(browser, town, "agent", lang=lang) as page:
        page.goto(f"{town.url}/desk")
        expect(page.locator("textarea[name=description]")).to_have_value("整层没电")
        expect(page.locator("#match")).to_contain_text(street.outage_no())
        finish(page, say)
        outage_no = street.outage_no()
        (ticket_no,) = street.tickets(outage_no)
    town.between_steps()
    with signed_in(browser, town, "agent", lang=lang) as page:
        answer_call(page, town, street.phone(2), say)
        expect(page.locator("#match")).to_contain_text(outage_no)
        fill_in(page)
        finish(page, say)
    town.between_steps()
    assert street.tickets(outage_no) == [ticket_no]  # no second one
    repair(browser, town, ticket_no, lang)
    town.between_steps()
    town.command("simulate", "clear", area_no)
    with signed_in(browser, town, "dispatcher", lang=lang) as page:
        page.goto(f"{town.url}/outages/{outage_no}")
        expect(page.locator("#outage h1 ~ .st").first).to_have_text(say["restored"])
    town.between_steps()
    call_back(browser, town, ticket_no, lang, content=content)
    town.between_steps()
    written_to(town, ticket_no)


def answer_call(page: Any, town: RunningOffice, phone: str, say: dict[str, str]) -> None:
    """Let somebody call the agent, who answers with a press on the call bar."""
    page.goto(f"{town.url}/desk")
    town.command("simulate", "call", "--from", phone, "--to", "agent", "--reason", "fault")
    expect(page.locator("#callbar .callbar")).to_be_visible()
    expect(page.locator("#caller")).to_be_visible()
    page.locator("#callbar").get_by_role("button", name=say["answer"]).click()
    expect(page.locator("#callbar").get_by_role("button", name=say["hangup"])).to_be_visible()
    expect(page.locator("#callbar .callbar.ringing")).to_have_count(0)


def fill_in(page: Any) -> None:
    """Say what the caller says."""
    page.locator("input[name=symptom][value=no_power]").check(force=True)
    page.locator("input[name=dangers][value=none]").check(force=True)
    page.fill("textarea[name=description]", "整层没电")


def finish(page: Any, say: dict[str, str]) -> None:
    """Press the one key, then hang up."""
    page.focus("textarea[name=description]")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#finished")).to_be_visible()
    page.locator("#callbar").get_by_role("button", name=say["hangup"]).click()
    expect(page.locator("#callbar").get_by_role("button", name=say["hangup"])).to_have_count(0)


def repair(browser: Any, town: RunningOffice, ticket_no: str, lang: str) -> None:
    """Dispatch a crew, that accepts, arrives, works and reports."""
    say = FIELD[lang]
    with signed_in(browser, town, "dispatcher", lang=lang) as page:
        page.goto(f"{town.url}/tickets/{ticket_no}")
        button(page, say["dispatch"]).click()
        dialog = page.locator("#move-dispatch")
        dialog.locator("select[name=crew_id]").select_option(index=0)
        dialog.get_by_role("button", name=say["dispatch"]).click()
        expect(page.locator("#ticket")).to_contain_text(say["sent"])
    town.between_steps()
    with signed_in(browser, town, crew_of(town, ticket_no), phone=True, lang=lang) as phone:
        work_in_the_field(phone, town, ticket_no, say)


def call_back(
    browser: Any, town: RunningOffice, ticket_no: str, lang: str, *, content: bool
) -> None:
    """Call everybody who called: content customers archive the ticket, others reopen it."""
    say = SAY[lang]
    wanted = (
        "SELECT min(c.id) FROM callcenter.callback c JOIN callcenter.ticket t ON t.id = c.ticket_id"
        " WHERE t.ticket_no = :no AND c.closed_at IS NULL"
    )
    first = town.wait(lambda: town.value(wanted, no=ticket_no), "the list of customers to call")
    with signed_in(browser, town, "agent2", lang=lang) as page:
        for callback in (first, first + 1) if content else (first,):
            page.goto(f"{town.url}/callbacks?id={callback}")
            panel = page.locator("#panel")
            word = "yes" if content else "no"
            panel.locator(f"input[name=solved][value={word}]").check(force=True)
            panel.locator(f"input[name=satisfaction][value='{5 if content else 1}']").check(
                force=True
            )
            panel.locator("textarea[name=note]").fill("客户答复")
            with suppress(Error):  # asked only in quiet hours
                panel.locator("input[name=agreed]").first.check(timeout=500)
            panel.get_by_role("button", name=re.compile(rf"^\s*{say['save']}")).first.click()
            expect(page.locator(".ps-toast", has_text=ticket_no)).to_be_visible()
            town.between_steps()
    state = town.value(
        "SELECT c.step FROM foundation.flow_case c JOIN callcenter.ticket t ON t.case_id = c.id"
        " WHERE t.ticket_no = :no",
        no=ticket_no,
    )
    assert state == ("archived" if content else "new")


def written_to(town: RunningOffice, ticket_no: str) -> None:
    """Everybody who called was told that supply is back, each once, or it is said why not."""
    count = "SELECT count(*) FROM callcenter.delivery WHERE template = 'power_restored'"
    told = town.value(f"{count} AND about_no = :no", no=ticket_no)
    assert told == 2
    unexplained = town.value(f"{count} AND state = 'skipped' AND reason = ''")
    assert unexplained == 0
