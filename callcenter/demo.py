"""The demo town's crews and operators, and its calls and tickets at every stage."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from callcenter.calls.actions.seats import choose_state, sit_at
from callcenter.calls.actions.switching import take_event
from callcenter.calls.actions.working import close_call, log_fault
from callcenter.calls.queries.cards import call_card, call_cards
from callcenter.calls.types import (
    NOTHING,
    AgentState,
    CallEvent,
    CallOutcome,
    CallReason,
    EventKind,
    FaultReport,
)
from callcenter.crews.actions import add_crew
from callcenter.crews.queries import crews_of
from callcenter.crews.types import CrewKind
from callcenter.tickets.actions.moving import move_ticket
from callcenter.tickets.queries import ticket_card
from customers.api.archive import contact_at
from foundation import clock
from foundation.actor import Actor, Scope
from foundation.staff.queries import actor_of, people
from loadmgmt.api.outage_moves import set_eta
from loadmgmt.api.outages import outage_card, outage_cards, register_outage
from loadmgmt.api.types import NewOutage, OutageKind
from metering.api.devices import meter_by_no
from metering.api.network import area_by_no

CREWS = {
    # name: kind, staff numbers
    "青禾一班": (CrewKind.REPAIR, ("3001", "3002")),
    "青禾二班": (CrewKind.REPAIR, ("3003",)),
    "白果坪抢修班": (CrewKind.REPAIR, ("3004",)),
    "青禾用检一组": (CrewKind.INSPECTION, ("4001", "4002")),
}
EXTENSIONS = {"2047": "8001", "2048": "8002"}
SAFE = {"measures": ["no_voltage", "earthed", "no_back_feed", "signs"]}
DONE = {"cause": "loose_connection", "work_done": "紧固接线端子，测电压正常"}
ROAD: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("accept", {}), ("arrive", {}), ("begin", SAFE), ("restore", DONE),
)  # fmt: skip
FAULTS = (
    # meter, symptom, what was said, moves of the crew so far, whether it is mended
    ("M-0301-0021", "part_power", "客厅无电，卧室有电", 0, False),
    ("M-0302-0033", "flicker", "灯光一直闪烁", 1, False),
    ("M-0503-0027", "trips", "空气开关频繁跳闸", 2, False),
    ("M-0701-0041", "low_voltage", "电饭煲煮不熟饭", 3, False),
    ("M-0702-0038", "part_power", "楼道灯与门禁无电", 4, False),
    ("M-0303-0029", "meter", "电表屏幕不亮", 4, True),
    ("M-0511-0030", "other", "表箱门脱落", 4, True),
)
DARK_BOX = ("M-1102-0026", "M-1102-0027")
ENQUIRY = "M-0303-0031"
PLANNED_AREA = "TG-0311"


def build(session: Session, actor: Actor) -> None:
    """Make the crews, sit the operators down; let the town call if nobody ever has."""
    persons = {person.staff_no: person for person in people(session)}
    for name, (kind, staff_nos) in CREWS.items():
        members = [persons[number] for number in staff_nos]
        add_crew(
            session,
            name,
            kind=kind,
            unit_id=members[0].unit_id,
            members=[person.id for person in members],
        )
    if call_cards(session, view="all", limit=1):
        return
    staff = {number: actor_of(session, one.id) or actor for number, one in persons.items()}
    for number, extension in EXTENSIONS.items():
        sit_at(session, staff[number], extension)
    _Town(session, staff).live()
    for number in EXTENSIONS:
        choose_state(session, staff[number], AgentState.READY)


class _Town:
    """What has happened in the town this morning, done by those who did it."""

    def __init__(self, session: Session, staff: Mapping[str, Actor]) -> None:
        self.session = session
        self.agent, self.dispatcher = staff["2047"], staff["1001"]
        self.crew = staff["3001"]
        self.calls = 0

    def live(self) -> None:
        """Let people call, tickets be worked on, an outage stand and another be planned."""
        for meter_no, symptom, said, moves, mended in FAULTS:
            self.fault(meter_no, symptom, said, moves, mended=mended)
        self.dark_box()
        self.enquiry()
        area = area_by_no(self.session, PLANNED_AREA)
        begins = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
        new = NewOutage(
            kind=OutageKind.PLANNED,
            area_id=area.area_id,
            starts_at=begins,
            ends_at=begins + timedelta(hours=4),
            cause="更换配电箱",
        )
        register_outage(self.session, self.dispatcher, new)

    def call(self, meter_no: str, reason: CallReason) -> int:
        """Let the customer of a meter call, be answered, and hang up a moment ago."""
        self.calls += 1
        contact = contact_at(self.session, meter_by_no(self.session, meter_no).point_id)
        began = clock.now() - timedelta(minutes=3)
        extension = EXTENSIONS[self.agent.staff_no]
        steps = ((EventKind.RING, 0), (EventKind.ANSWER, 6), (EventKind.HANGUP, 120))
        for kind, seconds in steps:
            taken = take_event(
                self.session,
                Actor.system("demo"),
                CallEvent(
                    event=f"demo-{self.calls}-{kind}",
                    call=f"demo-{self.calls}",
                    kind=kind,
                    at=began + timedelta(seconds=seconds),
                    caller=contact.phone if contact else None,
                    called="95598",
                    extension=extension,
                    reason=reason,
                ),
            )
        return taken.call_id

    def logged(self, meter_no: str, symptom: str, said: str) -> str | None:
        """Log what a customer said; give the ticket, if one was made of it."""
        call_id = self.call(meter_no, CallReason.FAULT)
        contact = contact_at(self.session, meter_by_no(self.session, meter_no).point_id)
        report = FaultReport(
            title=said,
            symptom=symptom,
            dangers=(NOTHING,),
            safety_asked=True,
            contact_name=contact.name if contact else "",
            contact_phone=(contact.phone or "") if contact else "",
            description=said,
        )
        version = call_card(self.session, call_id).version
        return log_fault(self.session, self.agent, call_id, report, version=version).ticket_no

    def fault(self, meter_no: str, symptom: str, said: str, moves: int, *, mended: bool) -> None:
        """Let a fault be logged and worked on so far."""
        ticket_no = self.logged(meter_no, symptom, said)
        if ticket_no is None or not moves:
            return
        crew_id = min(crews_of(self.session, self.crew.id))
        self.move(self.dispatcher, ticket_no, "dispatch", {"crew_id": str(crew_id)})
        for move, form in ROAD[:moves]:
            self.move(self.crew, ticket_no, move, form)
        if mended:
            self.move(self.dispatcher, ticket_no, "finish", note="电话确认有电")

    def move(
        self, who: Actor, ticket_no: str, move: str, form: Mapping[str, Any] = {}, note: str = ""
    ) -> None:
        """Move a ticket as somebody would."""
        version = ticket_card(self.session, ticket_no).version
        move_ticket(self.session, who, ticket_no, move, version=version, form=form, note=note)

    def dark_box(self) -> None:
        """Let two customers of one meter box report no power: an outage with its ticket."""
        for meter_no in DARK_BOX:
            self.logged(meter_no, "no_power", "全户无电，邻居也没电")
        (outage,) = outage_cards(self.session, Scope.everything(), view="active")
        version = outage_card(self.session, Scope.everything(), outage.outage_no).version
        eta_at = clock.now() + timedelta(hours=2)
        set_eta(
            self.session,
            self.dispatcher,
            outage.outage_no,
            version=version,
            eta_at=eta_at,
            reason="更换表箱进线开关",
        )

    def enquiry(self) -> None:
        """Let somebody ask and be answered."""
        call_id = self.call(ENQUIRY, CallReason.BILL)
        close_call(
            self.session,
            self.agent,
            call_id,
            version=call_card(self.session, call_id).version,
            outcome=CallOutcome.ANSWERED,
            note="告知阶梯电价分档",
        )
