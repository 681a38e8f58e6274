"""Collection and terminals in the portal: what is shown, what is asked for, by whom."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from foundation import clock
from metering.gaps.actions import check
from metering.readings.types import Quality
from metering.requests.actions import answer, ask
from metering.requests.types import RawBlock
from tests.factories.foundation import SYSTEM
from tests.factories.metering import Fitted, reading, stored
from tests.factories.webapp import Browser, Portal


@pytest.fixture(scope="module")
def lacking(portal: Portal) -> Fitted:
    """Fit a meter that lacks five minutes, and know of it."""
    with portal.work() as session:
        now = clock.now()
        with clock.frozen(now - timedelta(minutes=7)):
            check(session)
        session.execute(
            text("UPDATE metering.asked_span SET since = :at"), {"at": now - timedelta(minutes=7)}
        )
        with clock.frozen(now):
            check(session, steps=50)
    return portal.town.meter


def terminal_no(portal: Portal, one: Fitted) -> str:
    with portal.work() as session:
        return str(
            session.execute(
                text("SELECT terminal_no FROM metering.terminal WHERE id = :id"),
                {"id": one.terminal_id},
            ).scalar_one()
        )


def test_an_area_that_is_not_read_is_red_and_leads_to_its_missing_list(
    dispatcher: Browser, lacking: Fitted
) -> None:
    page = dispatcher.get("/collection")
    assert page.status == 200
    links = [one.attrs["href"] for one in page.tree.all("a") if "area=" in one.attrs["href"]]
    assert any(f"area={lacking.area_no}" in link for link in links)
    missing = dispatcher.get(next(link for link in links if lacking.area_no in link))
    assert lacking.meter_no in missing.said
    assert "没有采集进程运行" in missing.said


def test_an_area_without_power_is_not_a_failure(portal: Portal, dispatcher: Browser) -> None:
    with portal.work() as session:
        session.execute(
            text(
                "INSERT INTO loadmgmt.alert (kind, severity, state, subject, area_id, feeder_id,"
                " unit_id, phases, evidence, started_at, raised_at, last_seen_at, good_intervals,"
                " version) SELECT 'transformer_out', 'crit', 'open', 'area:' || a.id, a.id,"
                " a.feeder_id, :unit, '', '{}', now() - interval '3 hours', now(), now(), 0, 1"
                " FROM metering.transformer_area a WHERE a.id = :area"
            ),
            {"area": portal.town.area[0], "unit": portal.town.area[2]},
        )
    page = dispatcher.get("/collection")
    assert page.tree.all("td", class_="num dark")
    with portal.work() as session:
        session.execute(text("DELETE FROM loadmgmt.alert WHERE kind = 'transformer_out'"))


def test_nothing_known_is_shown_as_unknown(dispatcher: Browser) -> None:
    page = dispatcher.get("/collection?day=2026-01-01")
    assert page.status == 200
    assert "100.00%" not in page.said
    assert page.tree.all(id="collection-day")


@pytest.mark.parametrize("more", ["day=x&hour=99&feeder=x&area=%00x", "after=1-2", "after=x"])
def test_a_strange_address_is_taken_as_if_it_said_nothing(dispatcher: Browser, more: str) -> None:
    assert dispatcher.get(f"/collection/missing?{more}").status in {200, 400}


def test_missing_intervals_are_asked_for_again_by_those_who_may(
    portal: Portal, dispatcher: Browser, lacking: Fitted
) -> None:
    day = clock.business_date().isoformat()
    inspector = portal.browser("inspector")
    fields = {"ids": [str(lacking.meter_id)], "day": day, "hour": ""}
    assert inspector.post("/collection/missing/backfill", **fields).status == 403
    page = dispatcher.post(
        "/collection/missing/backfill", back=f"/collection/missing?day={day}", **fields
    )
    assert page.location == f"/collection/missing?day={day}"
    assert portal.town.people["dispatcher"].name in dispatcher.follow(page).said
    with portal.work() as session:
        asked = session.execute(
            text("SELECT count(*) FROM metering.gap WHERE asked_at IS NOT NULL")
        ).scalar_one()
    assert asked >= 1
    nothing = dispatcher.post("/collection/missing/backfill", ids=["x"], day=day)
    assert nothing.location == "/collection/missing"


def test_a_terminal_shows_its_meter_its_link_and_what_is_missing(
    portal: Portal, dispatcher: Browser, lacking: Fitted
) -> None:
    number = terminal_no(portal, lacking)
    assert number in dispatcher.get(f"/terminals?q={number.lower()}").said
    page = dispatcher.get(f"/terminals/{number}?tab=link")
    assert lacking.meter_no in page.said
    assert "没有采集进程运行" in page.said
    assert dispatcher.get("/terminals/ZD-none").status == 404


def test_a_silent_terminal_stands_first_with_its_reason_in_words(
    portal: Portal, dispatcher: Browser
) -> None:
    one = portal.meter()
    with portal.work() as session:
        session.execute(
            text(
                "UPDATE metering.terminal SET silent_since = now(), failed_rounds = 4,"
                " last_error = 'no_reply' WHERE id = :id"
            ),
            {"id": one.terminal_id},
        )
    first = dispatcher.get("/terminals").row_texts()[0]
    assert terminal_no(portal, one) in first
    assert "no_reply" not in first
    assert dispatcher.get("/terminals?view=silent").row_texts() == [first]


def test_what_a_terminal_answered_stands_beside_what_it_means(
    portal: Portal, dispatcher: Browser
) -> None:
    one = portal.meter(profile="eastron_sdm630")
    number = terminal_no(portal, one)
    address = f"/terminals/{number}?part=raw"
    assert dispatcher.get(address).row_texts() == []
    with portal.work() as session:
        request = ask(session, SYSTEM, one.meter_id)
        raw = [RawBlock(4, 0, bytes.fromhex("43668000").hex())]
        answer(session, request, one.meter_id, at=clock.now(), raw=raw)
    rows = dispatcher.get(address).row_texts()
    (volts,) = [row for row in rows if row.startswith("u_a")]
    assert "4366 8000" in volts


def test_doubtful_points_look_different_and_say_so(portal: Portal, dispatcher: Browser) -> None:
    one = portal.meter()
    start, _ = clock.day_span(clock.business_date() - timedelta(days=1))
    with portal.work() as session:
        stored(
            session,
            *(
                reading(one.meter_id, start + timedelta(minutes=15 * n), quality=quality, u_a=220.0)
                for n, quality in enumerate(
                    (Quality.GOOD, Quality.BACKFILLED, Quality.SUSPECT, Quality.ESTIMATED)
                )
            ),
        )
    day = (clock.business_date() - timedelta(days=1)).isoformat()
    page = dispatcher.get(f"/terminals/{terminal_no(portal, one)}?part=curve&day={day}")
    rows = [row for row in page.row_texts() if "220.0" in row]
    assert [row.rsplit(maxsplit=1)[-1] for row in rows[1:]] == ["补采", "存疑", "估算"]
