"""The telephony door: a phone switch tells of its calls (docs/telephony.md)."""

from datetime import UTC, datetime
from typing import Annotated, Any

from apiflask import APIBlueprint
from flask import current_app, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from callcenter.api.calls import take_event
from callcenter.api.telephony import SIGNATURE_HEADER, TIME_HEADER, check_signature
from callcenter.api.types import CallEvent, CallReason, EventKind
from foundation import clock
from foundation.actor import Actor
from webapp.auth.guard import public
from webapp.session import db, office

page = APIBlueprint("telephony", __name__, url_prefix="/api/v1", tag="Telephony")
SWITCH = Actor.system("phone switch")
LONGEST = 64 * 1024  # bytes of one request

SECURITY = {
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": SIGNATURE_HEADER,
        "description": f"HMAC-SHA-256 over `<{TIME_HEADER}>.<body>`, hexadecimal",
    }
}

Word = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")]
Number = Annotated[str, Field(max_length=32, pattern=r"^[+0-9 ()-]*$")]


class EventIn(BaseModel):
    """One event of one call, as the switch tells it."""

    model_config = ConfigDict(extra="forbid")

    event_id: Word = Field(description="the switch's number of the event, never used twice")
    call_id: Word = Field(description="the switch's number of the call")
    type: EventKind = Field(description="what happened")
    at: AwareDatetime = Field(description="when it happened, with its offset from UTC")
    sequence: int | None = Field(
        default=None, ge=0, le=2**31 - 1, description="place within the call, if the switch counts"
    )
    caller: Number | None = Field(
        default=None, description="telephone number of the caller; leave it out when withheld"
    )
    called: Number = Field(default="", description="number that was called")
    extension: str = Field(
        default="", max_length=20, pattern=r"^[0-9A-Za-z._-]*$", description="of the agent"
    )
    reason: CallReason = Field(
        default=CallReason.NONE, description="what the caller chose before the queue"
    )


class TakenOut(BaseModel):
    """What the office makes of an event."""

    call: int = Field(description="the office's number of the call")
    state: str = Field(description="queued, ringing, talking, held, ended or abandoned")
    agent: bool = Field(description="whether the extension belongs to an agent")


class RefusedOut(BaseModel):
    """Why a request was not taken."""

    code: str = Field(description="stable word for programs")
    error: str = Field(description="sentence for people")
    request_id: str = Field(description="to be named when asking about it")
    detail: dict[str, Any] | None = Field(default=None, description="what is wrong, by field")


REFUSED = RefusedOut.model_json_schema()


@page.before_request
def _signed() -> None:
    """Let nobody in who does not know the secret."""
    if request.endpoint == "telephony.document":
        return
    request.max_content_length = LONGEST
    check_signature(
        office().settings.switch_secret(),
        timestamp=request.headers.get(TIME_HEADER),
        given=request.headers.get(SIGNATURE_HEADER),
        body=request.get_data(cache=True),
        now_s=clock.now().timestamp(),
    )


@page.post("/cti/events")
@public
@page.input(EventIn)
@page.output(TakenOut)
@page.doc(
    summary="Tell one event of a call",
    description="Signed: the header X-Gridhall-Signature holds HMAC-SHA-256 over"
    " `<X-Gridhall-Timestamp>.<body>` in hexadecimal digits, the timestamp being Unix seconds"
    " within five minutes. Events may come in any order. An event number that was taken"
    " before is answered 409 and changes nothing: do not send it again.",
    security="signature",
    responses={
        401: "not signed, signed too long ago, or signed otherwise",
        409: "the event was taken before",
        503: "the office cannot take it now; send it again",
    },
)
def tell_event(json_data: EventIn) -> dict[str, object]:
    """Take one event of the switch."""
    taken = take_event(
        db(),
        SWITCH,
        CallEvent(
            event=json_data.event_id,
            call=json_data.call_id,
            kind=json_data.type,
            at=_utc(json_data.at),
            sequence=json_data.sequence,
            caller=json_data.caller or None,
            called=json_data.called,
            extension=json_data.extension,
            reason=json_data.reason,
        ),
    )
    agent = taken.agent_id is not None
    return {"call": taken.call_id, "state": taken.state.value, "agent": agent}


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


@page.get("/openapi.json")
@public
@page.doc(hide=True)
def document() -> ResponseReturnValue:
    """Give the description of these doors (OpenAPI 3.1)."""
    return jsonify(current_app.spec)  # type: ignore[attr-defined]
