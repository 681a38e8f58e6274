"""Commissioning: a terminal is really visited, judged, and put into service with a name."""

from collections.abc import Iterator
from itertools import count

import pytest

from foundation.audit import entries
from metering.devices.actions import add_terminal, set_in_service
from metering.devices.stock import add_stock_meter
from metering.network.types import Supply
from tests.factories import metering
from tests.factories.foundation import SYSTEM
from tests.factories.simulated import Simulated, simulated, unit
from tests.factories.webapp import Browser, Page, Portal

NOBODY = 9  # the port of nobody
UNITS = count(1)


@pytest.fixture
def device() -> Iterator[Simulated]:
    with simulated(unit(1, kind="factory")) as running:
        yield running


@pytest.fixture
def inspector(portal: Portal) -> Browser:
    return portal.browser("inspector")


def new_terminal(portal: Portal, port: int, profile: str = "demo_terminal") -> str:
    """Fit a terminal that is out of service yet; give its number."""
    unit_no = next(UNITS) if port == NOBODY else 1
    with portal.work() as session:
        fitted = metering.meter(
            session,
            place=portal.town.area,
            profile=profile,
            port=port,
            unit=unit_no,
            supply=Supply.THREE_380,
        )
        number = fitted.meter_no.replace("M-", "ZD-")
        set_in_service(session, SYSTEM, number, in_service=False, reason="new")
    return number


def results(page: Page) -> dict[str, str]:
    """Give the verdict of each check by its name."""
    rows = page.tree.all("tbody")[0].all("tr")
    return {row.all("th")[0].text: row.all("td")[0].text for row in rows}


def checked(browser: Browser, number: str) -> Page:
    page = browser.post(f"/commission/{number}/check")
    assert page.status == 302, page.said[:600]
    return browser.get(page.location)


def test_a_new_terminal_waits_is_checked_and_goes_into_service(
    portal: Portal, inspector: Browser, device: Simulated
) -> None:
    number = new_terminal(portal, device.port)
    assert number in inspector.get("/commission").said
    assert "尚未检查" in inspector.get(f"/commission/{number}").said
    page = checked(inspector, number)
    found = results(page)
    assert found["通信应答"] == "合格"
    assert found["型号核对"] == "合格"
    assert found["电压"] == "合格"
    assert found["分相之和"] == "合格"
    assert found["时钟"] == "合格"
    assert found["电量走字"] == "待定"
    assert "不合格" not in found.values()
    assert "GH-DEMO-3" in page.said
    device.clock.ahead_s = 3600
    again = checked(inspector, number)
    assert results(again)["电量走字"] in {"合格", "不合格"}  # an hour of energy in a moment
    device.clock.ahead_s = 0
    newest = again.tree.all("input", name="newest")[0].attrs["value"]
    done = inspector.post(
        f"/commission/{number}/service", decision="in", reason="现场无误", newest=newest
    )
    assert done.status == 302, done.said[:500]
    assert number in inspector.get("/commission?view=done").said
    with portal.work() as session:
        acts = [row.act for row in entries(session, subject_no=number)]
    assert acts[:2] == ["terminal.commissioned", "terminal.service"]
    assert acts.count("terminal.checked") == 2


def test_why_there_is_no_connection_stands_beside_the_check(
    portal: Portal, inspector: Browser
) -> None:
    page = checked(inspector, new_terminal(portal, NOBODY))
    assert results(page)["通信应答"] == "不合格"
    answers = page.tree.all("tbody")[0].all("tr")[0]
    assert "127.0.0.1" in answers.all("td", class_="found")[0].text


@pytest.mark.parametrize(
    ("order", "fields", "check"),
    [
        ("sag", {"phases": "b", "to": 0.5}, "电压"),
        ("phase_loss", {"phases": "a"}, "电压"),
        ("clock_drift", {"seconds": 4000}, "时钟"),
        ("exception", {"code": 4}, "通信应答"),
    ],
)
def test_what_is_wrong_at_the_meter_is_said(
    portal: Portal,
    inspector: Browser,
    device: Simulated,
    order: str,
    fields: dict[str, object],
    check: str,
) -> None:
    number = new_terminal(portal, device.port)
    device.order(order, **fields)
    assert results(checked(inspector, number))[check] == "不合格"


def test_a_terminal_that_is_not_there_is_said_and_kept(portal: Portal, inspector: Browser) -> None:
    number = new_terminal(portal, NOBODY)
    page = checked(inspector, number)
    found = results(page)
    assert found.pop("通信应答") == "不合格"
    assert set(found.values()) == {"待定"}
    assert "连接不上" in page.said


def test_another_model_is_found_out(portal: Portal, inspector: Browser) -> None:
    with simulated(unit(1, "eastron_sdm630")) as other:
        number = new_terminal(portal, other.port)
        assert "不合格" in results(checked(inspector, number)).values()


def test_into_service_against_the_checks_needs_a_reason(portal: Portal, inspector: Browser) -> None:
    number = new_terminal(portal, NOBODY)
    path = f"/commission/{number}/service"
    for decision in ("in", "out"):
        page = inspector.post(path, decision=decision, reason=" ", newest="0")
        assert page.status == 422
        assert "请填写原因" in page.said
    assert inspector.post(path, decision="out", reason="等待换表", newest="0").status == 302
    assert "等待换表" in inspector.get("/commission?view=done").said


def test_a_connection_is_said_for_all_behind_it_and_audited(
    portal: Portal, inspector: Browser
) -> None:
    number, other = new_terminal(portal, NOBODY), new_terminal(portal, NOBODY)
    path = f"/commission/{number}/connection"
    answer = inspector.post(path, framing="tls", depth="4", line="", seen="mbap")
    assert answer.status == 302
    for one in (number, other):
        shown = inspector.get(f"/commission/{one}")
        assert "Modbus TCP 安全（TLS）" in shown.said
        assert shown.tree.one("input", name="depth").attrs["value"] == "4"
    with portal.work() as session:
        facts = entries(session, act="terminal.manner")[0].facts
    assert (facts["before"], facts["after"]) == ("mbap", "tls 4")
    for framing, depth, line, said in (
        ("tls", "17", "", "并发数应为 1 至 16"),
        ("tls", "many", "", "并发数应为 1 至 16"),
        ("serial", "1", "9600-8E1", "与通信方式不符"),
        ("mbap", "1", "9600-8E1", "只有串口才有串口参数"),
        ("carrier pigeon", "1", "", "不是通信方式"),
    ):
        refused = inspector.post(path, framing=framing, depth=depth, line=line)
        assert refused.status == 422
        assert said in refused.said


def test_two_who_set_a_connection_do_not_overrule_each_other(
    portal: Portal, inspector: Browser
) -> None:
    number, other = new_terminal(portal, NOBODY), new_terminal(portal, NOBODY)
    late = portal.browser("supervisor")
    form = late.get(f"/commission/{other}").tree.one(
        "form", action=f"/commission/{other}/connection"
    )
    seen = form.one("input", name="seen").attrs["value"]
    path = f"/commission/{number}/connection"
    assert inspector.post(path, framing="tls", depth="4", seen="mbap").status == 302
    typed = {"framing": "mbap", "depth": "8"}
    page = late.post(f"/commission/{other}/connection", **typed, seen=seen)
    assert page.status == 409
    assert "别人刚刚修改了" in page.said
    assert page.tree.one("input", name="depth").attrs["value"] == "8"
    again = page.tree.one("input", name="seen").attrs["value"]
    assert again == "tls 4"
    assert late.post(f"/commission/{other}/connection", **typed, seen=again).status == 302


def test_two_who_decide_do_not_overrule_each_other(portal: Portal, inspector: Browser) -> None:
    number = new_terminal(portal, NOBODY)
    path = f"/commission/{number}/service"
    assert inspector.post(path, decision="out", reason="等待换表", newest="0").status == 302
    late = portal.browser("supervisor").post(path, decision="in", reason="我看可以", newest="0")
    assert late.status == 409
    assert "我看可以" in late.html
    assert "已于" in late.said


def test_a_connection_a_poller_owns_is_not_disturbed_without_a_word(
    portal: Portal, inspector: Browser, device: Simulated
) -> None:
    number = new_terminal(portal, device.port)
    with portal.work() as session:
        set_in_service(session, SYSTEM, number, in_service=True, reason="test")
    refused = inspector.post(f"/commission/{number}/check")
    assert refused.status == 409
    assert "正由采集程序使用" in refused.said
    assert inspector.post(f"/commission/{number}/check", despite_owner="1").status == 302


def test_what_lies_on_the_shelf_is_checked_but_not_put_into_service(
    portal: Portal, inspector: Browser, device: Simulated
) -> None:
    with portal.work() as session:
        terminal_id = add_terminal(
            session,
            "ZD-SHELF",
            profile="demo_terminal",
            host="127.0.0.1",
            port=device.port,
            unit=1,
            in_service=False,
        )
        add_stock_meter(session, "M-SHELF", supply=Supply.THREE_380, terminal_id=terminal_id)
    assert "ZD-SHELF" in inspector.get("/commission?view=shelf").said
    assert "ZD-SHELF" not in inspector.get("/commission").said
    assert results(checked(inspector, "ZD-SHELF"))["电压"] == "合格"
    page = inspector.get("/commission/ZD-SHELF")
    newest = page.tree.all("input", name="newest")[0].attrs["value"]
    refused = inspector.post(
        "/commission/ZD-SHELF/service", decision="in", reason="x", newest=newest
    )
    assert refused.status == 409
    assert "装表后再投运" in refused.said


def test_a_terminal_nobody_knows_is_not_found(inspector: Browser) -> None:
    assert inspector.get("/commission/ZD-0").status == 404
    assert inspector.post("/commission/ZD-0/check").status == 404


def test_a_crew_or_an_agent_does_not_commission(portal: Portal) -> None:
    for role in ("agent", "crew", "dispatcher"):
        assert portal.browser(role).get("/commission").status == 403
