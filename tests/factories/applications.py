"""A small office that connects people: a counter, a station, a store, and their papers."""

import zlib
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from customers.applications.actions.documents import add_document
from customers.applications.actions.intake import submit
from customers.applications.actions.steps import complete_step
from customers.applications.queries.cases import application_card
from customers.applications.types import ApplicationCard, ApplicationKind
from foundation import clock
from foundation.actor import Actor, Desk, Role
from foundation.staff.actions import set_desks
from metering.devices.actions import add_terminal
from metering.devices.stock import add_stock_meter
from metering.network.types import Supply
from tests.factories import foundation, metering
from tests.factories.foundation import SYSTEM

KIND = ApplicationKind.LOW_VOLTAGE_RESIDENT_NEW
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 20 + b"\xff\xd9"
CHECKS = ["breaker_tested", "customer_told", "sealed", "wiring_right"]
_NUMBERS = count(1)


def png(width: int = 4, height: int = 4, grey: int = 200) -> bytes:
    """Draw a small picture."""

    def chunk(name: bytes, data: bytes) -> bytes:
        head = len(data).to_bytes(4, "big") + name + data
        return head + zlib.crc32(name + data).to_bytes(4, "big")

    size = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x00\x00\x00\x00"
    rows = b"".join(b"\x00" + bytes([grey]) * width for _ in range(height))
    body = chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


class Connections:
    """A counter with two clerks, a station with a surveyor and a fitter, meters on its shelf."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.area = metering.area(session)
        metering.meter(session, place=self.area)
        counter = foundation.unit(session, "试验营业厅")
        station = self.area[2]
        set_desks(
            session,
            SYSTEM,
            counter,
            [Desk.ACCEPTANCE, Desk.PLAN_REPLY, Desk.CONTRACT, Desk.ARCHIVE],
        )
        set_desks(session, SYSTEM, station, [Desk.SURVEY, Desk.METERING])
        self.clerk = foundation.person(session, Role.CLERK, unit_id=counter)
        self.clerk2 = foundation.person(session, Role.CLERK, unit_id=counter)
        self.surveyor = foundation.person(session, Role.CLERK, unit_id=station)
        self.fitter = foundation.person(session, Role.CREW, unit_id=station)
        self.supervisor = foundation.person(session, Role.SUPERVISOR, unit_id=counter)
        self.box_no = "B-9-01"
        self.shelf = [self.stock() for _ in range(3)]

    def stock(self, supply: Supply = Supply.SINGLE_220, *, port: int | None = None) -> str:
        """Put a meter with its terminal on the shelf; give its number."""
        number = next(_NUMBERS)
        terminal_id = add_terminal(
            self.session,
            f"ZD-8{number:05d}",
            profile="demo_single",
            host="127.0.0.1",
            port=port or 40_000 + number,
            unit=1,
            interval_s=60,
            in_service=False,
        )
        meter_no = f"M-8{number:05d}"
        add_stock_meter(
            self.session, meter_no, supply=supply, terminal_id=terminal_id, unit_id=self.area[2]
        )
        return meter_no

    def intake(self, **more: str) -> dict[str, str]:
        """Give a filled-in intake form."""
        number = next(_NUMBERS)
        return {
            "applicant_name": "林小满",
            "id_no": f"1100000000000{number:04d}X",
            "phone": "13000000421",
            "address": f"青禾镇新建路 {number} 号",
            "area_no": self.area[1],
            "supply": "single_220",
            "load_kw": "8",
            "source": "counter",
        } | more

    def submitted(self, *, customer_id: int | None = None, **more: str) -> str:
        """Take a request in; give its number."""
        form = self.intake(**more)
        made = submit(self.session, self.clerk, KIND, form, customer_id=customer_id)
        return made.application_no

    def papers(self, number: str, *kinds: str) -> None:
        """Hand in documents."""
        for kind in kinds or ("application_form", "owner_id", "property_proof"):
            add_document(self.session, self.clerk, number, kind, name=f"{kind}.pdf", content=PDF)

    def card(self, number: str) -> ApplicationCard:
        """Give a case as it stands."""
        return application_card(self.session, number)

    def form(self, step: str, number: str, **more: Any) -> dict[str, Any]:
        """Give the filled-in form of a step."""
        today = clock.business_date().isoformat()
        card = self.card(number)
        intake = {
            "applicant_name": card.applicant_name,
            "id_no": card.id_no,
            "phone": card.phone,
            "address": card.address,
            "area_no": self.area[1],
            "supply": card.supply,
            "load_kw": "8",
            "source": "counter",
        }
        forms: dict[str, dict[str, Any]] = {
            "accept": intake,
            "survey": {
                "area_no": self.area[1],
                "box_no": self.box_no,
                "supply": "single_220",
                "approved_kw": "8",
                "surveyed_on": today,
                "opinion": "表箱有空位",
            },
            "plan_reply": {"replied_on": today, "method": "in_person", "answer": "agreed"},
            "contract": {"signed_on": today, "method": "on_paper", "tariff_code": "resident_tier"},
            "fit_meter": {
                "meter_no": self.shelf[0],
                "start_kwh": "0",
                "seal_no": "S-1",
                "fitted_on": today,
                "second_person": "冯小雪",
            },
            "energise": {"live_checks": CHECKS, "volts": "221", "live_on": today},
        }
        return forms.get(step, {}) | more

    def do(
        self,
        number: str,
        outcome: str,
        *,
        by: Actor | None = None,
        note: str = "",
        to: str = "",
        version: int | None = -1,
        **form: Any,
    ) -> None:
        """Complete the present step as the person whose desk it is."""
        card = self.card(number)
        who = {"survey": self.surveyor, "fit_meter": self.fitter, "energise": self.fitter}
        complete_step(
            self.session,
            by or who.get(card.step, self.clerk),
            number,
            outcome,
            version=card.version if version == -1 else version,
            form=self.form(card.step, number, **form),
            note=note,
            to=to,
        )

    def at(self, step: str, **more: str) -> str:
        """Bring a new case to a step; give its number."""
        number = self.submitted(**more)
        self.papers(number)
        for outcome in ("accept", "feasible", "agreed", "signed", "fitted", "live", "write"):
            if self.card(number).step == step:
                break
            if outcome == "signed":
                self.papers(number, "contract")
            self.do(number, outcome)
        assert self.card(number).step == step
        return number
