"""Commands to meters: asked for on the meter's page, reviewed by somebody else."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from foundation import clock
from metering.api.requests import cutting_hours
from tests.factories.metering import Fitted
from tests.factories.webapp import Browser, Portal, fit


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.frozen(datetime(2099, 6, 25, 4, 0, tzinfo=UTC)):
        yield


@pytest.fixture
def meter(portal: Portal) -> Fitted:
    with portal.work() as session:
        return fit(session, portal.town.area)


@pytest.fixture
def second(portal: Portal) -> Browser:
    return portal.browser("dispatcher2")


def asked(browser: Browser, meter: Fitted, **fields: str) -> str:
    """Ask for a command; give the address of its page."""
    path = f"/meters/{meter.meter_no}/command"
    page = browser.post(path, **({"kind": "open", "reason": "test"} | fields))
    assert page.status == 302, page.said[:500]
    return page.location


def test_a_command_goes_from_one_desk_to_the_other(
    dispatcher: Browser, second: Browser, meter: Fitted
) -> None:
    assert "申请遥控" in dispatcher.get(f"/meters/{meter.meter_no}").said
    form = dispatcher.get(f"/meters/{meter.meter_no}/command")
    assert "该型号支持此指令" in form.said
    address = asked(dispatcher, meter)
    own = dispatcher.get(address)
    assert "您发起，需由另一名值班员复核" in own.said
    assert "复核并下发" not in own.said
    assert meter.meter_no in second.get("/commands").said
    page = second.get(address)
    assert "复核并下发" in page.said
    refused = second.post(
        f"{address}/review", version=1, verdict="approve", ending="0000", opinion="核对"
    )
    assert refused.status == 422
    assert "末四位" in refused.said or "后四位不符" in refused.said
    assert "核对" in refused.html  # what was typed is still there
    sent = second.post(
        f"{address}/review",
        version=1,
        verdict="approve",
        ending=meter.meter_no[-4:],
        opinion="核对",
    )
    assert "已复核，采集进程正在下发" in second.follow(sent).said
    again = second.post(f"{address}/review", version=1, verdict="reject", opinion="我不同意")
    assert again.status == 409
    assert again.tree.one("div", data_error_summary=True)
    assert "我不同意" in again.said
    late = dispatcher.post(f"{address}/withdraw", version=1)
    assert late.status == 409


def test_a_check_that_fails_is_said_and_nothing_is_asked_for(
    dispatcher: Browser, meter: Fitted
) -> None:
    path = f"/meters/{meter.meter_no}/command"
    for fields, status in (({"reason": ""}, 422), ({"reason": "theft"}, 422)):
        page = dispatcher.post(path, **({"kind": "open"} | fields))
        assert page.status == status
        assert "请选择原因" in page.said
    with clock.frozen(datetime(2099, 6, 25, 15, 0, tzinfo=UTC)):
        page = dispatcher.post(path, kind="open", reason="test")
    assert page.status == 409
    assert "检查项不通过" in page.said
    assert "{}–{}".format(*cutting_hours()) in page.said


def test_a_rejected_and_a_withdrawn_command_say_so(
    dispatcher: Browser, second: Browser, meter: Fitted
) -> None:
    first = asked(dispatcher, meter)
    no = second.post(f"{first}/review", version=1, verdict="reject", opinion="依据不足")
    assert "驳回" in second.follow(no).said
    with clock.frozen(datetime(2099, 6, 25, 4, 1, tzinfo=UTC)):
        other = asked(dispatcher, meter, kind="close", reason="restored")
        gone = dispatcher.post(f"{other}/withdraw", version=1)
        dispatcher.follow(gone)
        assert "已撤回" in dispatcher.get("/commands?view=all").said


@pytest.mark.parametrize("role", ["agent", "clerk", "crew", "inspector"])
def test_who_has_no_part_in_it_sees_no_commands(portal: Portal, role: str, meter: Fitted) -> None:
    browser = portal.browser(role)
    assert browser.get("/commands").status == 403
    assert browser.post(f"/meters/{meter.meter_no}/command", kind="open").status == 403
