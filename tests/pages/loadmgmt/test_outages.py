"""Outages: registered, confirmed, expected, ended; a lost race and a gap keep what was typed."""

from datetime import timedelta

import pytest

from foundation import clock
from foundation.actor import Scope
from loadmgmt.api.outages import outage_card
from loadmgmt.api.types import OutageCard, OutageState
from metering.api.network import area_places
from tests.factories.callcenter import street
from tests.factories.webapp import Browser, Portal


@pytest.fixture
def outage_no(portal: Portal, dispatcher: Browser) -> str:
    """Register an outage of a new street."""
    with portal.work() as session:
        house = street(session, 2)[0]
    page = dispatcher.post("/outages", kind="fault", area_no=house.meter.area_no, cause="试验")
    assert page.status == 302, page.said
    return page.location.rsplit("/", 1)[1]


def card(portal: Portal, outage_no: str) -> OutageCard:
    with portal.work() as session:
        return outage_card(session, Scope.everything(), outage_no)


def local(hours: float) -> str:
    at = (clock.now() + timedelta(hours=hours)).astimezone(clock.office_zone())
    return f"{at:%Y-%m-%dT%H:%M}"


def test_an_outage_registered_by_hand_stands_in_the_list_and_explains_its_area(
    portal: Portal, dispatcher: Browser, outage_no: str
) -> None:
    assert outage_no in dispatcher.get("/outages").said
    page = dispatcher.get(f"/outages/{outage_no}")
    assert page.problems == []
    assert "试验" in page.said
    assert card(portal, outage_no).state is OutageState.CONFIRMED


def test_a_known_outage_is_named_and_nothing_is_changed(
    portal: Portal, dispatcher: Browser, outage_no: str
) -> None:
    with portal.work() as session:
        area_no = area_places(session, [card(portal, outage_no).area_id]).popitem()[1].area_no
    page = dispatcher.post("/outages", kind="fault", area_no=area_no, cause="刮风")
    assert page.status == 409
    assert outage_no in page.said
    assert page.tree.one("input", name="cause").attrs["value"] == "刮风"
    assert card(portal, outage_no).cause == "试验"


def test_an_unknown_area_is_said_and_nothing_typed_is_lost(dispatcher: Browser) -> None:
    page = dispatcher.post("/outages", kind="fault", area_no="TG-NONE", cause="刮风")
    assert page.status == 404
    assert page.tree.one("input", name="cause").attrs["value"] == "刮风"
    assert page.tree.one("input", name="area_no").attrs["value"] == "TG-NONE"


def test_an_expected_time_that_moves_later_needs_its_reason(
    portal: Portal, dispatcher: Browser, outage_no: str
) -> None:
    first = dispatcher.post(f"/outages/{outage_no}/eta", version=card(portal, outage_no).version,
                            eta_at=local(2))  # fmt: skip
    assert first.status == 302
    version = card(portal, outage_no).version
    page = dispatcher.post(f"/outages/{outage_no}/eta", version=version, eta_at=local(3))
    assert page.status == 422
    assert page.tree.one("input", name="eta_at").attrs["value"] == local(3)
    done = dispatcher.post(
        f"/outages/{outage_no}/eta", version=version, eta_at=local(3), reason="等备件"
    )
    assert done.status == 302
    assert "等备件" in dispatcher.get(f"/outages/{outage_no}").said


def test_of_two_who_end_it_one_is_told(portal: Portal, dispatcher: Browser, outage_no: str) -> None:
    version = card(portal, outage_no).version
    assert dispatcher.post(f"/outages/{outage_no}/end", version=version).status == 422
    dispatcher.post(f"/outages/{outage_no}/end", version=version, note="现场有电")
    late = portal.browser("dispatcher2")
    page = late.post(f"/outages/{outage_no}/end", version=version, note="我也看到")
    assert page.status == 409
    assert portal.town.people["dispatcher"].name in page.said
    assert card(portal, outage_no).state is OutageState.RESTORED


@pytest.mark.parametrize("eta", ["", "nothing", "2020-01-01T00:00"])
def test_a_time_that_is_none_is_refused(
    portal: Portal, dispatcher: Browser, outage_no: str, eta: str
) -> None:
    version = card(portal, outage_no).version
    page = dispatcher.post(f"/outages/{outage_no}/eta", version=version, eta_at=eta)
    assert page.status == 422


def test_an_agent_sees_outages_and_changes_none(portal: Portal, outage_no: str) -> None:
    agent = portal.browser("agent")
    assert agent.get(f"/outages/{outage_no}").status == 200
    assert agent.post(f"/outages/{outage_no}/confirm", version=1).status == 403
