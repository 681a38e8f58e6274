"""A new connection from the counter to its first good reading."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from customers.applications.actions.steps import (
    claim_step,
    complete_step,
    give_back_step,
    note_first_readings,
    pause_case,
    resume_case,
    tell_late,
)
from customers.applications.queries.cases import (
    application_cards,
    application_history,
    counts,
    inbox,
    inbox_count,
    late_steps,
)
from customers.applications.types import StepBlocked
from customers.archive.queries import account_card, amendments
from foundation import clock
from foundation.actor import Scope
from foundation.errors import NotAllowed
from foundation.flow.engine import CaseHeld, CaseMoved, CasePaused, NoteMissing
from foundation.flow.forms import FormRefused
from foundation.flow.hands import PauseReasonUnknown, PauseRefused
from metering.devices.queries import fleet, meter_by_no, stock_meter
from tests.factories import foundation
from tests.factories.applications import Connections
from tests.factories.foundation import SYSTEM
from tests.factories.metering import reading, stored

ALL = Scope.everything()


def steps(office: Connections, number: str) -> list[str]:
    return [one.move for one in application_history(office.session, office.card(number).case_id)]


def events(office: Connections, name: str) -> list[dict[str, object]]:
    rows = office.session.execute(
        text("SELECT payload FROM foundation.event WHERE name = :name ORDER BY id"), {"name": name}
    )
    return [dict(row[0]) for row in rows]


def test_a_case_goes_through_every_department_and_ends_with_the_meters_own_reading(
    office: Connections,
) -> None:
    number = office.at("first_readings")
    card = office.card(number)
    meter = meter_by_no(office.session, office.shelf[0])
    assert meter.point_id == card.point_id
    assert meter.meter_no in {target.meter_no for target in fleet(office.session)}
    assert note_first_readings(office.session, SYSTEM) == 0
    at = clock.now() + timedelta(minutes=1)
    stored(office.session, reading(meter.meter_id, at, u_a=221.4, wh_import=120))
    assert note_first_readings(office.session, SYSTEM) == 1
    assert note_first_readings(office.session, SYSTEM) == 0
    card = office.card(number)
    assert (card.step, card.status) == ("archived", "archived")
    assert card.ended_at is not None
    assert card.answers["first_readings"]["u_a"] == "221.4"
    assert steps(office, number) == [
        "start", "accept", "feasible", "agreed", "signed", "fitted", "live", "write", "read",
    ]  # fmt: skip
    assert {c.met_at is not None for c in card.clocks} == {True}


def test_an_on_demand_read_or_a_doubtful_reading_does_not_end_a_case(office: Connections) -> None:
    office.at("first_readings")
    meter = meter_by_no(office.session, office.shelf[0])
    at = clock.now() + timedelta(minutes=1)
    from metering.readings.types import Quality

    stored(
        office.session,
        reading(meter.meter_id, at, quality=Quality.OUT_OF_RANGE, u_a=9000.0, wh_import=1),
        reading(meter.meter_id, at + timedelta(minutes=1), u_a=220.0),
        reading(meter.meter_id, clock.now() - timedelta(hours=2), u_a=220.0, wh_import=1),
    )
    assert note_first_readings(office.session, SYSTEM) == 0


def test_the_archive_is_written_whole_with_what_was_before_and_after(office: Connections) -> None:
    number = office.at("first_readings")
    card = office.card(number)
    account = account_card(office.session, card.account_no)
    assert (account.customer_name, account.tariff_code) == ("林小满", "resident_tier")
    assert (account.point_id, account.version) == (card.point_id, 1)
    assert str(account.contract_kw) == "8.00"
    (kept,) = amendments(office.session, case_no=number)
    after = {line.key: line.after for line in kept.lines}
    assert after["meter.meter_no"] == office.shelf[0]
    assert after["terminal.terminal_no"].startswith("ZD-8")
    assert {line.current for line in kept.lines} == {None}
    (change,) = events(office, "ArchiveChanged")
    assert change["changes"] == [
        {
            "account_no": card.account_no,
            "point_id": card.point_id,
            "case_no": number,
            "version": 1,
        }
    ]
    advanced = events(office, "ApplicationAdvanced")
    assert [one["applications"][0]["step"] for one in advanced] == [  # type: ignore[index]
        "accept", "survey", "plan_reply", "contract", "fit_meter", "energise", "archive",
        "first_readings",
    ]  # fmt: skip


def test_identity_number_and_phone_stand_nowhere_in_the_open(office: Connections) -> None:
    number = office.at("first_readings")
    card = office.card(number)
    for table in (
        "customers.application",
        "customers.amendment_line",
        "customers.customer",
        "foundation.flow_history",
        "foundation.audit_entry",
        "foundation.event",
    ):
        rows = office.session.execute(text(f"SELECT CAST(x AS text) FROM {table} x")).scalars()
        for row in rows:
            assert card.id_no not in row
            assert card.phone not in row


def test_a_returned_case_comes_back_with_its_reason_and_is_resubmitted(
    office: Connections,
) -> None:
    number = office.at("plan_reply")
    with pytest.raises(NoteMissing):
        office.do(number, "return", to="survey")
    office.do(number, "return", to="survey", note="表箱号有误")
    card = office.card(number)
    assert (card.step, card.word, card.returned_from) == ("survey", "returned", "plan_reply")
    assert number in {one.application_no for one in application_cards(
        office.session, ALL, view="returned")}  # fmt: skip
    office.do(number, "feasible")
    card = office.card(number)
    assert (card.step, card.word) == ("plan_reply", "in_progress")
    assert steps(office, number)[-3:] == ["feasible", "return", "feasible"]


def test_only_the_steps_own_desk_and_only_the_department_of_the_place_may_do_it(
    office: Connections,
) -> None:
    number = office.at("survey")
    with pytest.raises(NotAllowed):
        office.do(number, "feasible", by=office.clerk)
    elsewhere = foundation.unit(office.session, "别处供电所")
    from foundation.actor import Desk, Role
    from foundation.staff.actions import set_desks

    set_desks(office.session, SYSTEM, elsewhere, [Desk.SURVEY])
    stranger = foundation.person(office.session, Role.CLERK, unit_id=elsewhere)
    with pytest.raises(NotAllowed):
        office.do(number, "feasible", by=stranger)
    assert number not in {one.application_no for one in inbox(office.session, stranger)}
    assert number not in {one.application_no for one in inbox(office.session, office.fitter)}
    assert number in {one.application_no for one in inbox(office.session, office.surveyor)}
    assert number not in {one.application_no for one in inbox(office.session, office.clerk)}
    assert number in {one.application_no for one in inbox(office.session, office.supervisor)}
    office.do(number, "feasible", by=office.supervisor)
    assert inbox_count(office.session, office.clerk) >= 1


def test_of_two_people_at_one_step_the_second_learns_who_was_first(office: Connections) -> None:
    number = office.at("plan_reply")
    seen = office.card(number).version
    office.do(number, "agreed", by=office.clerk)
    with pytest.raises(CaseMoved) as lost:
        office.do(number, "agreed", by=office.clerk2, version=seen)
    assert lost.value.facts["by"] == office.clerk.name
    assert office.card(number).step == "contract"


def test_a_step_somebody_took_is_theirs_until_they_give_it_back(office: Connections) -> None:
    number = office.at("plan_reply")
    claim_step(office.session, office.clerk, number, version=office.card(number).version)
    with pytest.raises(CaseHeld) as held:
        claim_step(office.session, office.clerk2, number, version=office.card(number).version)
    assert held.value.facts["by"] == office.clerk.name
    with pytest.raises(CaseHeld):
        office.do(number, "agreed", by=office.clerk2)
    with pytest.raises(CaseHeld):
        give_back_step(office.session, office.clerk2, number, version=None)
    give_back_step(office.session, office.clerk, number, version=None)
    office.do(number, "agreed", by=office.clerk2)
    assert office.card(number).holder_name is None


def test_nobody_takes_a_step_they_could_not_do(office: Connections) -> None:
    number = office.at("plan_reply")
    with pytest.raises(NotAllowed):
        claim_step(office.session, office.fitter, number, version=None)


def test_while_the_customer_is_waited_for_no_clock_runs_and_no_step_is_done(
    office: Connections,
) -> None:
    number = office.at("plan_reply")
    with pytest.raises(PauseReasonUnknown):
        pause_case(office.session, office.clerk, number, "tired", version=None)
    pause_case(office.session, office.clerk, number, "customer_decision", version=None)
    card = office.card(number)
    assert (card.word, card.pause_reason) == ("paused", "customer_decision")
    assert all(c.paused_at is not None for c in card.clocks if c.met_at is None)
    with pytest.raises(CasePaused):
        office.do(number, "agreed")
    with pytest.raises(PauseRefused):
        pause_case(office.session, office.clerk, number, "customer_decision", version=None)
    resume_case(office.session, office.clerk, number, version=None)
    assert office.card(number).word == "in_progress"
    with pytest.raises(PauseRefused):
        resume_case(office.session, office.clerk, number, version=None)
    office.do(number, "agreed")


def test_a_waiting_case_may_still_be_withdrawn(office: Connections) -> None:
    number = office.at("fit_meter")
    pause_case(office.session, office.fitter, number, "customer_works", version=None)
    office.do(number, "withdraw", by=office.clerk, note="客户不再需要")
    card = office.card(number)
    assert (card.status, card.ended_at is not None) == ("withdrawn", True)
    assert number in {one.application_no for one in application_cards(
        office.session, ALL, view="ended")}  # fmt: skip


def test_a_step_waits_for_the_documents_it_needs_and_says_which(office: Connections) -> None:
    number = office.submitted()
    with pytest.raises(StepBlocked) as blocked:
        office.do(number, "accept")
    missing = ["application_form", "owner_id", "property_proof"]
    assert [one.what for one in blocked.value.blockers] == missing
    office.do(number, "refuse", note="不符合条件")
    assert office.card(number).status == "refused"


def test_what_is_said_of_the_site_must_exist(office: Connections) -> None:
    number = office.at("survey")
    with pytest.raises(FormRefused) as refused:
        office.do(number, "feasible", area_no="TG-none")
    assert refused.value.problems == {"area_no": "area_unknown"}
    with pytest.raises(FormRefused) as refused:
        office.do(number, "feasible", box_no="B-none")
    assert refused.value.problems == {"box_no": "box_unknown"}
    with pytest.raises(FormRefused) as refused:
        office.do(number, "feasible", surveyed_on="2999-01-01")
    assert refused.value.problems == {"surveyed_on": "future"}


def test_a_drawn_meter_is_no_other_cases_and_goes_back_when_the_case_does(
    office: Connections,
) -> None:
    first, second = office.at("fit_meter"), office.at("fit_meter")
    office.do(first, "fitted")
    with pytest.raises(FormRefused) as refused:
        office.do(second, "fitted")
    assert refused.value.problems == {"meter_no": "meter_taken"}
    with pytest.raises(FormRefused):
        office.do(second, "fitted", meter_no="M-none")
    office.do(first, "return", to="fit_meter", note="表有划痕")
    office.do(first, "fitted", meter_no=office.shelf[1])
    drawn = stock_meter(office.session, office.shelf[0])
    assert drawn is not None
    assert drawn.drawn_for is None
    office.do(second, "fitted")


def test_late_steps_are_told_once_and_stay_in_sight(office: Connections) -> None:
    number = office.at("plan_reply")
    later = clock.now() + timedelta(days=30)
    with clock.frozen(later):
        assert tell_late(office.session, SYSTEM) >= 2
        assert tell_late(office.session, SYSTEM) == 0
        late = [one for one in late_steps(office.session) if one.application_no == number]
        assert {one.name for one in late} == {"plan_reply", "plan_answered", "whole"}
        assert counts(office.session, ALL)["late"] >= 1


def test_a_running_case_keeps_the_promises_it_began_with(office: Connections) -> None:
    from foundation.overrides import override

    before = office.submitted()
    override(
        office.session,
        SYSTEM,
        "applications.low_voltage_resident_new.whole",
        9,
        reason="a trial",
    )
    after = office.submitted()
    old, new = (office.card(number).clock("whole") for number in (before, after))
    assert old is not None
    assert new is not None
    assert new.due_at > old.due_at


def test_an_unknown_case_has_no_steps(office: Connections) -> None:
    from foundation.errors import NotFound

    for act in (claim_step, give_back_step):
        with pytest.raises(NotFound):
            act(office.session, office.clerk, "YK-000000-0000", version=None)
    with pytest.raises(NotFound):
        complete_step(office.session, office.clerk, "YK-000000-0000", "accept", version=1)
