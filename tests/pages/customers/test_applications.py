"""Cases in the portal: taken in, moved by the right hands, nothing typed ever lost."""

from datetime import datetime
from io import BytesIO

import pytest

from customers.applications.queries.cases import application_card
from customers.applications.queries.plan import archive_plan
from customers.applications.types import ApplicationCard
from foundation import clock
from foundation.actor import Desk
from foundation.staff.actions import set_desks
from tests.factories.applications import PDF, Connections, png
from tests.factories.foundation import SYSTEM
from tests.factories.webapp import Browser, Portal
from tests.pages.test_at_once import at_once, ready

HTML = b"<html><script>alert(1)</script></html>"


@pytest.fixture(scope="module", autouse=True)
def _desks(portal: Portal) -> None:
    """Let the town's people keep every desk."""
    with portal.work() as session:
        Connections(session)
        set_desks(session, SYSTEM, portal.town.people["clerk"].unit_id or 0, list(Desk))


@pytest.fixture
def clerk(portal: Portal) -> Browser:
    return ready(portal, "clerk")


def case_at(portal: Portal, step: str) -> str:
    """Bring a new case to a step."""
    unit_id = portal.town.people["clerk"].unit_id or 0
    with portal.work() as session:
        number = Connections(session).at(step)
        set_desks(session, SYSTEM, unit_id, list(Desk))
    return number


def card(portal: Portal, number: str) -> ApplicationCard:
    with portal.work() as session:
        return application_card(session, number)


def intake(portal: Portal, **more: str) -> dict[str, str]:
    with portal.work() as session:
        office = Connections(session)
        set_desks(session, SYSTEM, portal.town.people["clerk"].unit_id or 0, list(Desk))
        return office.intake(**more)


def file(content: bytes, name: str = "a.pdf") -> tuple[BytesIO, str]:
    return BytesIO(content), name


def test_a_case_is_taken_in_page_by_page_and_a_wrong_field_keeps_the_rest(
    portal: Portal, clerk: Browser
) -> None:
    form = intake(portal)
    clerk.post("/apps/new/kind", kind="low_voltage_resident_new")
    wrong = clerk.post(
        "/apps/new/customer", applicant_name="林小满", id_no="12", phone=form["phone"]
    )
    assert wrong.status == 422
    assert wrong.tree.one(id="f-applicant_name").attrs["value"] == "林小满"
    page = clerk.post("/apps/new/customer", **form)
    assert page.status == 302
    assert clerk.post("/apps/new/place", **form).status == 302
    refused = clerk.post("/apps/new/papers/owner_id", file=file(HTML))
    assert refused.status == 422
    assert refused.tree.one(id="upload-error").text
    for kind in ("owner_id", "application_form"):
        assert clerk.post(f"/apps/new/papers/{kind}", file=file(PDF)).status == 302
    lacking = clerk.post("/apps/new/submit")
    assert lacking.status == 422
    assert clerk.post("/apps/new/papers", promised="property_proof").status == 302
    begun_again = ready(portal, "clerk").get("/apps/new?step=check")
    assert form["address"] in begun_again.said
    taken = clerk.post("/apps/new/submit")
    assert taken.status == 302, taken.said[:800]
    number = taken.location.rsplit("/", 1)[1]
    assert card(portal, number).step == "survey"
    shown = clerk.follow(taken)
    assert shown.tree.all("div", data_code=True)
    assert not clerk.get(taken.location).tree.all("div", data_code=True)
    assert form["address"] not in clerk.get("/apps/new?step=check").said


def test_a_file_that_is_no_document_is_refused_in_words(portal: Portal, clerk: Browser) -> None:
    number = case_at(portal, "survey")
    for content in (b"", HTML, PDF[:-12] + b"x" * 3000):
        page = clerk.post(f"/apps/{number}/papers/owner_id", file=file(content))
        assert page.status == 422
        assert page.tree.one(id="upload-error").text


def test_a_file_is_given_back_as_data_and_never_as_a_page(portal: Portal, clerk: Browser) -> None:
    number = case_at(portal, "survey")
    name = "../../身份证 <b>.png"
    assert clerk.post(f"/apps/{number}/papers/owner_id", file=file(png(), name)).status == 302
    page = clerk.get(f"/apps/{number}?tab=papers")
    addresses = [
        one.attrs["href"] for one in page.tree.all("a", href=True) if "/files/" in one.attrs["href"]
    ]
    assert addresses
    for address in addresses:
        answer = clerk.stream(address)
        assert answer.status_code == 200
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        answer.close()
    other = case_at(portal, "survey")
    elsewhere = addresses[-1].replace(number, other)
    assert clerk.get(elsewhere).status == 404


def survey(number: str, portal: Portal, **more: str) -> dict[str, str]:
    now = card(portal, number)
    with portal.work() as session:
        office = Connections(session)
        set_desks(session, SYSTEM, portal.town.people["clerk"].unit_id or 0, list(Desk))
        form = office.form("survey", number)
    return form | {"version": str(now.version), "step": now.step, "area_no": ""} | more


def test_a_case_moves_back_with_a_reason_and_forward_again(portal: Portal, clerk: Browser) -> None:
    number = case_at(portal, "survey")
    version = card(portal, number).version
    mute = clerk.post(f"/apps/{number}/step/return", version=version, to="accept")
    assert (mute.status, card(portal, number).step) == (422, "survey")
    clerk.post(f"/apps/{number}/step/return", version=version, to="accept", note="地址不清")
    assert card(portal, number).step == "accept"
    page = clerk.get(f"/apps/{number}")
    assert "地址不清" in page.said


@pytest.mark.parametrize("time", range(3))
def test_of_two_people_on_one_step_one_wins_and_the_other_reads_who_and_keeps_the_words(
    portal: Portal, time: int
) -> None:
    assert time < 3
    number = case_at(portal, "plan_reply")
    now = card(portal, number)
    said = {
        "version": now.version,
        "step": now.step,
        "replied_on": clock.business_date().isoformat(),
        "method": "in_person",
        "answer": "agreed",
        "remark": "当面答复过了",
    }
    browsers = [ready(portal, name) for name in ("clerk", "supervisor")]
    pages = at_once(
        *(lambda one=one: one.post(f"/apps/{number}/step/agreed", **said) for one in browsers)
    )
    assert sorted(page.status for page in pages) == [302, 409], [p.said[:400] for p in pages]
    lost = next(page for page in pages if page.status == 409)
    people = portal.town.people
    assert people["clerk"].name in lost.said or people["supervisor"].name in lost.said
    assert card(portal, number).step == "contract"


def test_who_comes_late_reads_what_was_typed(portal: Portal, clerk: Browser) -> None:
    number = case_at(portal, "survey")
    with portal.work() as session:
        office = Connections(session)
        set_desks(session, SYSTEM, portal.town.people["clerk"].unit_id or 0, list(Desk))
    form = {"opinion": "表箱满了，需另立", "approved_kw": "6", "step": "survey"}
    version = card(portal, number).version
    clerk.post(f"/apps/{number}/step/return", version=version, to="accept", note="地址不清")
    late = ready(portal, "supervisor").post(
        f"/apps/{number}/step/feasible", version=version, **form
    )
    assert late.status == 409
    assert "表箱满了，需另立" in late.said
    assert portal.town.people["clerk"].name in late.said
    assert office.box_no


def test_a_step_s_words_survive_a_closed_browser(portal: Portal, clerk: Browser) -> None:
    number = case_at(portal, "survey")
    saved = clerk.post(f"/apps/{number}/draft", script=True, opinion="写到一半", step="survey")
    assert saved.status == 204
    page = ready(portal, "clerk").get(f"/apps/{number}")
    assert "写到一半" in page.said
    other = ready(portal, "supervisor").get(f"/apps/{number}")
    assert "写到一半" not in other.said


def test_the_time_of_fitting_is_the_offices(portal: Portal, clerk: Browser) -> None:
    number = case_at(portal, "archive")
    with portal.work() as session:
        lines = archive_plan(session, application_card(session, number))
    (fitted,) = [one.after for one in lines if one.key == "meter.fitted_at"]
    at = datetime.fromisoformat(str(fitted)).astimezone(clock.office_zone())
    assert f"{at:%Y-%m-%d %H:%M}" in clerk.get(f"/apps/{number}?tab=archive").said


def test_a_paused_case_offers_no_submit(portal: Portal, clerk: Browser) -> None:
    number = case_at(portal, "survey")
    assert clerk.get(f"/apps/{number}").tree.all("form", id="stage")
    version = str(card(portal, number).version)
    clerk.post(f"/apps/{number}/pause", version=version, reason="customer_works", note="等客户")
    page = clerk.get(f"/apps/{number}")
    forward = [one for one in page.tree.all("button") if "提交至" in one.text]
    assert forward == []


def test_a_case_is_taken_given_back_paused_and_resumed(portal: Portal, clerk: Browser) -> None:
    number = case_at(portal, "plan_reply")

    def post(act: str, **more: str) -> int:
        return clerk.post(
            f"/apps/{number}/{act}", version=str(card(portal, number).version), **more
        ).status

    assert post("claim") == 302
    assert card(portal, number).holder_name == portal.town.people["clerk"].name
    assert post("give-back") == 302
    reasons = clerk.get(f"/apps/{number}").tree.all("input", name="reason")
    assert post("pause", reason=reasons[0].attrs["value"]) == 302
    assert card(portal, number).paused_at is not None
    assert post("step/agreed") in {409, 422}
    assert post("resume") == 302
    assert card(portal, number).paused_at is None
    assert clerk.post("/tasks/claim", ids=number).status == 302
    assert card(portal, number).holder_name == portal.town.people["clerk"].name


def test_the_archive_is_rehearsed_without_a_trace_and_then_written(
    portal: Portal, clerk: Browser
) -> None:
    number = case_at(portal, "archive")
    account_no = card(portal, number).account_no
    assert clerk.post(f"/apps/{number}/rehearse").status == 302
    assert clerk.get(f"/customers/{account_no}").status == 404
    version = card(portal, number).version
    assert clerk.post(f"/apps/{number}/step/write", version=version).status == 302
    assert card(portal, number).step == "first_readings"
    assert account_no[-4:] in clerk.get(f"/customers/{account_no}").said.replace(" ", "")
    assert number in clerk.get("/archive").said


def test_a_person_without_the_desk_sees_the_case_and_no_form(portal: Portal) -> None:
    number = case_at(portal, "survey")
    dispatcher = portal.browser("agent")
    page = dispatcher.get(f"/apps/{number}")
    assert page.status == 200
    assert not page.tree.all("form", id="stage")
    version = card(portal, number).version
    assert dispatcher.post(f"/apps/{number}/step/feasible", version=version).status == 409


def test_a_code_shown_once_stays_while_the_case_is_read_again(
    portal: Portal, clerk: Browser
) -> None:
    number = case_at(portal, "survey")
    page = clerk.follow(clerk.post(f"/apps/{number}/code")).tree
    assert page.one("div", data_code=True).text
    assert not page.one("div", id="case").all("div", data_code=True)


def test_a_customer_sees_the_progress_with_number_and_code_and_nobody_by_guessing(
    portal: Portal, clerk: Browser, nobody: Browser
) -> None:
    number = case_at(portal, "survey")
    code = clerk.follow(clerk.post(f"/apps/{number}/code")).tree.one("div", data_code=True).text
    nobody.see_form("/p/apply")
    assert nobody.post("/p/apply", number=number, code="AAAA-AAAA").status == 422
    assert nobody.post("/p/apply", number="YK-1", code=code).status == 422
    assert number not in nobody.get(f"/p/apply/{number}").tree.one("title").text
    opened = nobody.post("/p/apply", number=number.lower(), code=code.lower())
    assert opened.status == 302
    page = nobody.follow(opened)
    assert number in page.said
    assert "林小满" not in page.said
    assert "13000000421" not in page.html
    stranger = portal.browser()
    stranger.see_form("/p/apply")
    answers = [
        stranger.post("/p/apply", number=number, code=f"AAAA-AAA{one}").status for one in range(12)
    ]
    assert answers[-1] == 429
    assert stranger.post("/p/apply", number=number, code=code).status == 429


def test_an_administrator_gives_a_department_its_desks(portal: Portal) -> None:
    admin = ready(portal, "admin")
    unit_id = portal.town.people["clerk"].unit_id or 0
    assert admin.post(f"/admin/units/{unit_id}/desks", desks=["survey"]).status == 302
    boxes = [
        box.attrs["value"]
        for box in admin.get("/admin/users?tab=desks").tree.all("input", name="desks")
        if "checked" in box.attrs
    ]
    assert "survey" in boxes
    assert admin.post("/admin/units/99999/desks").status == 404
    assert ready(portal, "clerk").post(f"/admin/units/{unit_id}/desks").status == 403
    admin.post(f"/admin/units/{unit_id}/desks", desks=[desk.value for desk in Desk])
