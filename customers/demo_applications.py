"""The demo town's applications: some at every stage, one waiting, one returned, one late."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from customers.applications.actions.documents import add_document, promise_document
from customers.applications.actions.intake import submit
from customers.applications.actions.steps import (
    add_note,
    claim_step,
    complete_step,
    note_first_readings,
    pause_case,
)
from customers.applications.models import Application
from customers.applications.queries.cases import application_card
from customers.applications.types import ApplicationKind
from customers.demo_papers import pdf, picture
from foundation import clock
from foundation.actor import Actor
from foundation.flow.calendar import office_calendar
from foundation.staff.queries import actor_of, people
from metering.api.devices import stock_meters
from metering.api.types import Supply

KIND = ApplicationKind.LOW_VOLTAGE_RESIDENT_NEW
WAY = ("accept", "feasible", "agreed", "signed", "fitted", "live", "write")
DESKS = {"accept": "2101", "feasible": "2103", "agreed": "2102", "signed": "2101",
         "fitted": "3001", "live": "3001", "write": "2102"}  # fmt: skip
NOON = time(12)
COUNTRY = {"feasible": "2104", "fitted": "3004", "live": "3004"}


@dataclass(frozen=True, slots=True)
class _Case:
    """One case of the town.

    Attributes:
        days: working days ago it was taken in.
        moves: how many steps of the way it has done since, one each half day.
        twist: what is special about it.
    """

    name: str
    address: str
    area_no: str
    days: int
    moves: int
    twist: str = ""


CASES = (
    _Case("林小满", "梧桐里小区 1 幢 3 单元 602", "TG-0701", 0, 0, "missing"),
    _Case("王谷雨", "梧桐里小区 2 幢 1 单元 305", "TG-0702", 0, 1),
    _Case("周夏至", "云杉里小区 1 幢 2 单元 506", "TG-0301", 1, 1, "promised"),
    _Case("陈白露", "海棠苑小区 3 幢 1 单元 405", "TG-0503", 1, 2),
    _Case("赵霜降", "学府里小区 1 幢 1 单元 206", "TG-0511", 1, 2, "paused"),
    _Case("吴立冬", "白果坪小区 2 幢 1 单元 105", "TG-1112", 1, 1, "returned"),
    _Case("孙大雪", "湖滨里小区 1 幢 2 单元 605", "TG-0711", 1, 3),
    _Case("郑小寒", "青禾苑小区 2 幢 1 单元 106", "TG-0312", 2, 4),
    _Case("冯春分", "梧桐里小区 3 幢 2 单元 205", "TG-0703", 6, 3, "late"),
    _Case("钱清明", "云杉里小区 2 幢 1 单元 405", "TG-0302", 2, 5),
    _Case("刘芒种", "海棠苑小区 1 幢 3 单元 502", "TG-0501", 3, 6, "claimed"),
    _Case("韩小暑", "银杏村 1 组 12 号", "TG-1101", 4, 7),
    _Case("何秋分", "学府里小区 2 幢 1 单元 606", "TG-0512", 1, 1, "withdrawn"),
)


def build(session: Session, actor: Actor) -> None:
    """Take the cases in and lead each as far as it is; once."""
    if session.scalar(select(func.count()).select_from(Application)):
        return
    staff = {
        one.staff_no: found
        for one in people(session)
        if (found := actor_of(session, one.id)) is not None
    }
    for serial, case in enumerate(CASES, start=1):
        _Walk(session, staff, case, serial).go()
    note_first_readings(session, actor)


class _Walk:
    """Leads one case of the town."""

    def __init__(
        self, session: Session, staff: Mapping[str, Actor], case: _Case, serial: int
    ) -> None:
        self.session, self.staff, self.case, self.serial = session, staff, case, serial
        self.number = ""
        self.at = _working_days_ago(case.days, serial)

    def go(self) -> None:
        """Take it in, move it on, add what is special."""
        with clock.frozen(self.at):
            self._take_in()
        for outcome in WAY[: self.case.moves]:
            self.at = min(clock.now() - timedelta(minutes=20), _half_day_later(self.at))
            with clock.frozen(self.at):
                self._complete(outcome)
        with clock.frozen(min(clock.now(), self.at + timedelta(minutes=20))):
            self._twist()

    def _take_in(self) -> None:
        clerk = self.staff["2101"]
        made = submit(
            self.session,
            clerk,
            KIND,
            {
                "applicant_name": self.case.name,
                "id_no": f"1100000000001{self.serial:04d}X",
                "phone": f"1300000{5500 + self.serial:04d}",
                "address": f"云川市青禾区{self.case.address}",
                "area_no": self.case.area_no,
                "supply": "single_220",
                "load_kw": str(6 + self.serial % 3 * 2),
                "source": ("counter", "online", "phone")[self.serial % 3],
            },
        )
        self.number = made.application_no
        kinds = ["application_form", "owner_id", "property_proof"]
        if self.case.twist in {"missing", "promised"}:
            kinds.remove("property_proof")
        for kind in kinds:
            self._paper(kind)
        if self.case.twist == "promised":
            promise_document(self.session, clerk, self.number, "property_proof")

    def _paper(self, kind: str) -> None:
        if kind == "fitting_photo":
            name, content = "meter.png", picture(self.serial)
        else:
            title = kind.replace("_", " ").title()
            lines = ("Demo town, invented", f"Case {self.number}", f"Sheet {self.serial}")
            name, content = f"{kind}.pdf", pdf(title, *lines)
        clerk = self.staff["2101"]
        add_document(self.session, clerk, self.number, kind, name=name, content=content)

    def _complete(self, outcome: str) -> None:
        who = DESKS | (COUNTRY if self.case.area_no.startswith("TG-11") else {})
        if outcome == "feasible":
            self._paper("survey_sheet")
        if outcome == "signed":
            self._paper("contract")
        if outcome == "fitted":
            self._paper("fitting_photo")
        card = application_card(self.session, self.number)
        complete_step(
            self.session,
            self.staff[who[outcome]],
            self.number,
            outcome,
            version=card.version,
            form=self._form(outcome, card.id_no, card.phone),
        )

    def _form(self, outcome: str, id_no: str, phone: str) -> dict[str, Any]:
        today = clock.business_date().isoformat()
        card = application_card(self.session, self.number)
        shelf = stock_meters(self.session, supply=Supply.SINGLE_220, unit_id=card.unit_id)
        forms: dict[str, dict[str, Any]] = {
            "accept": {
                "applicant_name": card.applicant_name,
                "id_no": id_no,
                "phone": phone,
                "address": card.address,
                "area_no": self.case.area_no,
                "supply": "single_220",
                "load_kw": str(card.load_kw),
                "source": card.source,
            },
            "feasible": {
                "area_no": self.case.area_no,
                "box_no": f"B-{self.case.area_no[3:]}-01",
                "supply": "single_220",
                "approved_kw": f"{card.load_kw.normalize():f}",
                "surveyed_on": today,
                "opinion": "表箱有空位, 进线满足, 同意接入。",
            },
            "agreed": {"replied_on": today, "method": "by_phone", "answer": "agreed"},
            "signed": {"signed_on": today, "method": "electronic", "tariff_code": "resident_tier"},
            "fitted": {
                "meter_no": shelf[0].meter_no,
                "start_kwh": "0",
                "seal_no": f"FY-{self.serial:05d}",
                "fitted_on": today,
                "second_person": "孙处暑",
            },
            "live": {
                "live_checks": ["breaker_tested", "customer_told", "sealed", "wiring_right"],
                "volts": "222.6",
                "live_on": today,
            },
        }
        return forms.get(outcome, {})

    def _twist(self) -> None:
        session, number, twist = self.session, self.number, self.case.twist
        counter, clerk2 = self.staff["2101"], self.staff["2102"]
        version = application_card(session, number).version
        if twist == "paused":
            pause_case(
                session,
                clerk2,
                number,
                "customer_decision",
                version=version,
                note="客户出差, 周五答复",
            )
        elif twist == "returned":
            complete_step(
                session,
                self.staff["2104"],
                number,
                "return",
                version=version,
                to="accept",
                note="地址门牌与现场不符, 请核对",
            )
        elif twist == "withdrawn":
            complete_step(
                session, counter, number, "withdraw", version=version, note="客户改为过户办理"
            )
        elif twist == "claimed":
            claim_step(session, clerk2, number, version=version)
            add_note(session, clerk2, number, "下午统一写入档案")


def _half_day_later(at: datetime) -> datetime:
    """Give the next working half day: the afternoon, or the morning of the next working day."""
    calendar, local = office_calendar(), at.astimezone(clock.office_zone())
    if local.time() < NOON:
        return local.replace(hour=14)
    day = local.date() + timedelta(days=1)
    while not calendar.is_working_day(day):
        day += timedelta(days=1)
    return datetime.combine(day, time(9, local.minute), clock.office_zone())


def _working_days_ago(days: int, serial: int) -> datetime:
    """Give an instant of the morning some working days back, never ahead of now."""
    calendar, day = office_calendar(), clock.business_date()
    left = days
    while left:
        day -= timedelta(days=1)
        left -= calendar.is_working_day(day)
    morning = datetime.combine(day, time(8, 40 + serial), clock.office_zone())
    return min(clock.now() - timedelta(minutes=30), morning)
