"""A new connection: from the counter through every department to the first reading by Modbus."""

import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.factories.applications import JPEG, PDF
from tests.journeys.conftest import RunningOffice, signed_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WORDS = {
    "zh-CN": {
        "next": "下一步", "submit": "受理并进入下一环节", "return": "退回",
        "reason": "表箱号与现场不符", "survey": "现场勘查", "accept": "业务受理",
        "wrong": "不是 PDF、JPG 或 PNG", "returned": "已退回", "upload": "上传", "rehearse": "预演",
        "fine": "预演通过", "archived": "已归档", "look": "查询进度", "need": "需要您配合",
        "done": "办结", "refused": "不正确", "blocked": "还不能提交", "written": "已写入",
    },
    "en": {
        "next": "Next", "submit": "Take in and go on", "return": "Return",
        "reason": "the box is another", "survey": "Site survey", "accept": "Acceptance",
        "wrong": "no PDF, JPG or PNG", "returned": "Returned", "upload": "Upload",
        "rehearse": "Rehearse", "fine": "went through", "archived": "Archived",
        "look": "Look it up", "need": "What we need from you", "done": "Done",
        "refused": "is not right", "blocked": "cannot go on", "written": "Written",
    },
}  # fmt: skip
PEOPLE = {"zh-CN": ("尤谷雨", "7 幢 1 单元 101"), "en": ("施惊蛰", "7 幢 1 单元 102")}


def step_of(town: RunningOffice, number: str) -> str:
    """Give where a case stands, from the database."""
    return str(
        town.value("SELECT step FROM foundation.flow_case WHERE subject = :no", no=number) or ""
    )


def forward(page: Any) -> None:
    """Press the one primary button of the stage's form, and wait until it was answered.

    A draft that is kept changes the address of the page without leaving it, and that counts
    as a navigation too.
    """
    answered = page.expect_response(lambda response: response.request.method == "POST")
    with answered, page.expect_navigation():
        page.locator("#stage .btn-primary").click()


def choose(page: Any, name: str, value: str) -> None:
    """Choose a chip by its value."""
    page.locator(f"input[name={name}][value={value}]").check()


def hand_in(page: Any, kind: str, folder: Path, name: str, content: bytes) -> None:
    """Upload a document of the page's list."""
    path = folder / name
    path.write_bytes(content)
    item = page.locator(f"#paper-{kind}")
    if item.locator("details.adding:not([open])").count():
        item.locator("summary").click()
    item.locator("input[type=file]").set_input_files(str(path))
    with page.expect_navigation():
        item.locator("form.add button").click()


def take_in(page: Any, town: RunningOffice, folder: Path, lang: str) -> tuple[str, str]:
    """Go through the intake, wrong turns included; give number and code."""
    say, (name, door) = WORDS[lang], PEOPLE[lang]
    page.goto(f"{town.url}/apps")
    page.keyboard.press("n")
    page.wait_for_url(re.compile(r"/apps/new"))
    page.get_by_role("button", name=say["next"]).click()
    page.fill("#f-applicant_name", name)
    page.fill("#f-id_no", "12")
    page.get_by_role("button", name=say["next"]).click()
    expect(page.locator("[data-error-summary]")).to_be_visible()
    assert page.input_value("#f-applicant_name") == name
    page.fill("#f-id_no", "11000000000000001X")  # the first customer of the town
    page.fill("#f-phone", "13000007788")
    page.locator("#f-phone").blur()
    expect(page.locator("#duplicates")).to_contain_text("9900 0000 01")
    page.fill("#f-id_no", f"1100000000009{'7' if lang == 'en' else '8'}001X")
    page.get_by_role("button", name=say["next"]).click()
    page.fill("#f-address", f"云川市青禾区梧桐里小区 {door}")
    page.fill("#f-area_no", "TG-0701")
    page.fill("#f-load_kw", "8")
    page.get_by_role("button", name=say["next"]).click()
    hand_in(page, "application_form", folder, "form.pdf", b"<html><script>alert(1)</script>")
    expect(page.locator("#upload-error")).to_contain_text(say["wrong"])
    hand_in(page, "application_form", folder, "form.pdf", PDF)
    hand_in(page, "owner_id", folder, "id.jpg", JPEG)
    page.locator("input[name=promised]").check()
    page.get_by_role("button", name=say["next"]).click()
    page.get_by_role("button", name=say["submit"]).click()
    page.wait_for_url(re.compile(r"/apps/YK-"))
    code = page.locator("[data-code]").inner_text()
    return page.url.rsplit("/", 1)[1], code


def survey(page: Any, town: RunningOffice, number: str) -> None:
    """Fill in what was found on site."""
    page.goto(f"{town.url}/tasks")
    page.locator("tr", has_text=number).locator("a.open").click()
    page.locator("select[name=box_no]").select_option("B-0701-02")
    page.fill("#f-approved_kw", "8")
    page.fill("#f-opinion", "表箱有空位，同意接入")
    forward(page)


def agree_and_sign(
    page: Any, town: RunningOffice, number: str, folder: Path, say: dict[str, str]
) -> None:
    """Tell the customer the plan, then sign the contract; not before its papers are there."""
    page.goto(f"{town.url}/apps/{number}")
    choose(page, "method", "by_phone")
    choose(page, "answer", "agreed")
    forward(page)
    town.between_steps()
    choose(page, "method", "on_paper")
    forward(page)  # neither contract nor proof of property is there
    expect(page.locator("[data-error-summary]").first).to_contain_text(say["blocked"])
    expect(page.locator("input[name=method][value=on_paper]")).to_be_checked()
    hand_in(page, "contract", folder, "contract.pdf", PDF)
    hand_in(page, "property_proof", folder, "proof.pdf", PDF)
    page.goto(f"{town.url}/apps/{number}")
    choose(page, "method", "on_paper")
    forward(page)


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_a_home_is_connected_and_its_meter_read(
    town: RunningOffice, browser: Any, lang: str, tmp_path: Path
) -> None:
    with town.under_fire() if lang == "zh-CN" else nullcontext():
        the_journey_of_a_home(town, browser, lang, tmp_path)


def the_journey_of_a_home(town: RunningOffice, browser: Any, lang: str, tmp_path: Path) -> None:
    """Go from the counter to the archive."""
    say = WORDS[lang]
    with signed_in(browser, town, "clerk", lang=lang) as page:
        number, code = take_in(page, town, tmp_path, lang)
    assert step_of(town, number) == "survey"
    town.between_steps()
    with signed_in(browser, town, "surveyor", lang=lang) as page:
        page.goto(f"{town.url}/apps/{number}")
        page.locator("a[data-opens=move-return]").click()
        dialog = page.locator("#move-return")
        dialog.locator("textarea").fill(say["reason"])
        dialog.get_by_role("button", name=say["return"]).click()
        expect(page.locator("#case h1 ~ .st").first).to_have_text(say["returned"])
    town.between_steps()
    with signed_in(browser, town, "clerk", lang=lang) as page:
        page.goto(f"{town.url}/apps/{number}")
        expect(page.locator("#case .banner.major")).to_contain_text(say["reason"])
        assert page.input_value("#f-id_no") == ""  # never shown again, kept if left empty
        forward(page)
    assert step_of(town, number) == "survey"
    town.between_steps()
    with signed_in(browser, town, "surveyor", lang=lang) as page:
        survey(page, town, number)
    town.between_steps()
    with signed_in(browser, town, "clerk2", lang=lang) as page:
        agree_and_sign(page, town, number, tmp_path, say)
    assert step_of(town, number) == "fit_meter"
    town.between_steps()
    with signed_in(browser, town, "crew", phone=True, lang=lang) as phone:
        fit_and_energise(phone, town, number)
    town.between_steps()
    with signed_in(browser, town, "clerk2", lang=lang) as page:
        write_archive(page, town, number, say)
    town.between_steps()
    poll_and_close(town, number)
    town.between_steps()
    with signed_in(browser, town, "agent", lang=lang) as page:
        show_customer(page, town, number, lang)
    follow(browser, town, number, code, lang)


def case_of(town: RunningOffice, name: str) -> str:
    """Give the number of a case of the demo town."""
    found = "SELECT application_no FROM customers.application WHERE applicant_name = :name"
    return str(town.value(found, name=name))


@pytest.mark.parametrize(("lang", "name"), [("zh-CN", "陈白露"), ("en", "孙大雪")])
def test_of_two_clerks_on_one_step_one_wins_and_the_other_keeps_what_he_typed(
    town: RunningOffice, browser: Any, lang: str, name: str
) -> None:
    number = case_of(town, name)
    before = step_of(town, number)
    with (
        signed_in(browser, town, "clerk", lang=lang) as first,
        signed_in(browser, town, "clerk2", lang=lang) as second,
    ):
        for page in (first, second):
            page.goto(f"{town.url}/apps/{number}")
            page.locator("a[data-opens=move-return]").click()
        second.locator("#move-return textarea").fill("客户要求改天再办")
        first.locator("#move-return textarea").fill("门牌不符")
        for page in (first, second):
            with page.expect_navigation():
                page.locator("#move-return").get_by_role(
                    "button", name=WORDS[lang]["return"]
                ).click()
        expect(first.locator("#case .banner.major")).to_contain_text("门牌不符")
        expect(second.locator("main")).to_contain_text("王立夏")
        expect(second.locator("main")).to_contain_text("客户要求改天再办")
    assert before != step_of(town, number)


def test_a_worker_and_a_poller_killed_at_the_archive_lose_no_meter(
    town: RunningOffice, browser: Any
) -> None:
    number = case_of(town, "刘芒种")
    with signed_in(browser, town, "clerk2") as page:
        page.goto(f"{town.url}/apps/{number}")
        town.kill("worker")
        town.kill("poller")
        forward(page)
        assert step_of(town, number) == "first_readings"
    town.wait(town.is_ready, "the office to be whole again", seconds=60)
    town.kill("worker")
    poll_and_close(town, number)


def fit_and_energise(phone: Any, town: RunningOffice, number: str) -> None:
    """Fit the meter and make it live, on a phone."""
    phone.goto(f"{town.url}/apps/{number}")
    phone.locator("select[name=meter_no]").select_option(index=1)
    phone.fill("#f-start_kwh", "0")
    phone.fill("#f-seal_no", "FY-90001")
    phone.fill("#f-second_person", "孙处暑")
    forward(phone)
    town.between_steps()
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for box in phone.locator("input[name=live_checks]").all():
        box.check()
    phone.fill("#f-volts", "221.5")
    forward(phone)
    assert step_of(town, number) == "archive"


def write_archive(page: Any, town: RunningOffice, number: str, say: dict[str, str]) -> None:
    """Rehearse, see that nothing was written, then write."""
    page.goto(f"{town.url}/apps/{number}?tab=archive")
    account_no = str(
        town.value("SELECT account_no FROM customers.application WHERE application_no = :n",
                   n=number)
    )  # fmt: skip
    page.get_by_role("button", name=say["rehearse"]).click()
    expect(page.locator("#toasts")).to_contain_text(say["fine"])
    standing = "SELECT count(*) FROM customers.account WHERE account_no = :no"
    assert town.value(standing, no=account_no) == 0
    page.goto(f"{town.url}/apps/{number}")
    forward(page)
    assert town.value(standing, no=account_no) == 1, page.locator("main").inner_text()
    expect(page.locator("#archive-card .card-header")).to_contain_text(say["written"])


def poll_and_close(town: RunningOffice, number: str) -> None:
    """The poller asks the new terminal by itself; its answer archives the case."""
    polled = (
        "SELECT l.read_at FROM metering.latest l JOIN metering.meter m ON m.id = l.meter_id"
        " JOIN customers.application a ON a.point_id = m.point_id WHERE a.application_no = :no"
    )
    town.wait(lambda: town.value(polled, no=number), "the first reading", seconds=60)
    town.wait(lambda: step_of(town, number) == "archived", "the case to be archived", seconds=60)
    good = (
        "SELECT count(*) FROM metering.reading r JOIN metering.meter m ON m.id = r.meter_id"
        " JOIN customers.application a ON a.point_id = m.point_id"
        " WHERE a.application_no = :no AND r.quality = 0 AND r.source = 1"
    )
    assert town.value(good, no=number) >= 1


def show_customer(page: Any, town: RunningOffice, number: str, lang: str) -> None:
    """The operator finds the new customer by name, with live power and the case in the past."""
    name, door = PEOPLE[lang]
    page.goto(f"{town.url}/customers")
    page.locator("main input[name=q]").fill(door)
    page.keyboard.press("Enter")
    page.locator("tr", has_text=door).locator("a.open").click()
    expect(page.locator("h1").first).to_have_text(name)
    expect(page.locator("#now")).to_contain_text("kW")
    expect(page.locator(".hist", has_text=number).first).to_be_visible()


def follow(browser: Any, town: RunningOffice, number: str, code: str, lang: str) -> None:
    """The customer follows the case on a phone without JavaScript."""
    say = WORDS[lang]
    size = {"width": 390, "height": 844}
    context = browser.new_context(viewport=size, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{town.url}/p/apply/{number}")
    if lang == "en":
        page.locator("form[action='/me/language'] button").click()
    page.fill("#f-number", number)
    page.fill("#f-code", "AAAA-AAAA")
    page.get_by_role("button", name=say["look"]).click()
    expect(page.locator("[data-error-summary]")).to_contain_text(say["refused"])
    page.fill("#f-number", number)
    page.fill("#f-code", code.lower())
    page.get_by_role("button", name=say["look"]).click()
    expect(page.locator(".p-hero .v")).to_have_text(say["done"])
    assert PEOPLE[lang][0] not in page.content()
    assert "13000007788" not in page.content()
    context.close()
