"""The telephony door: signed or refused; each event once; described for programs."""

import json
import time
from collections.abc import Mapping
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from callcenter.api.telephony import SIGNATURE_HEADER, TIME_HEADER, signature
from tests.factories.callcenter import street
from tests.factories.webapp import Portal

EVENTS = count(1)


def event(**more: object) -> dict[str, object]:
    number = next(EVENTS)
    return {
        "event_id": f"e-{number}",
        "call_id": f"c-{number}",
        "type": "queue",
        "at": "2026-06-18T10:00:00+08:00",
    } | more


def told(
    portal: Portal, said: object, *, at: float | None = None, secret: str = ""
) -> tuple[int, Mapping[str, Any]]:
    body = json.dumps(said).encode()
    stamp = str(int(at if at is not None else time.time()))
    key = secret or portal.settings.switch_secret()
    answer = portal.app.test_client().post(
        "/api/v1/cti/events",
        data=body,
        headers={
            "Content-Type": "application/json",
            TIME_HEADER: stamp,
            SIGNATURE_HEADER: signature(key, stamp, body),
        },
    )
    return answer.status_code, answer.get_json()


def calls(portal: Portal, number: object) -> int:
    with portal.work() as session:
        query = text("SELECT count(*) FROM callcenter.call WHERE switch_call_id = :number")
        return int(session.scalar(query, {"number": number}) or 0)


def test_a_signed_event_makes_a_call_and_the_same_event_changes_nothing(portal: Portal) -> None:
    with portal.work() as session:
        (house,) = street(session, 1)
    said = event(caller=house.phone, reason="fault")
    status, answer = told(portal, said)
    assert (status, answer["state"], answer["agent"]) == (200, "queued", False)
    again, refused = told(portal, said)
    assert (again, refused["code"]) == (409, "event_known")
    assert calls(portal, said["call_id"]) == 1


def test_events_in_any_order_make_one_call(portal: Portal) -> None:
    number = f"mixed-{next(EVENTS)}"
    for kind, second in (("hangup", 9), ("answer", 5), ("queue", 1), ("ring", 3)):
        at = f"2026-06-18T10:00:0{second}+08:00"
        status, answer = told(portal, event(call_id=number, type=kind, at=at))
        assert status == 200
    assert answer["state"] == "ended"
    assert calls(portal, number) == 1


@pytest.mark.parametrize(
    ("at", "secret", "why"),
    [(None, "another", "wrong"), (1.0, "", "stale"), (4e9, "", "stale")],
)
def test_nobody_without_the_secret_gets_in(
    portal: Portal, at: float | None, secret: str, why: str
) -> None:
    said = event()
    status, answer = told(portal, said, at=at, secret=secret)
    assert (status, answer["code"]) == (401, "signature_refused"), why
    assert calls(portal, said["call_id"]) == 0


def test_an_unsigned_request_is_refused(portal: Portal) -> None:
    answer = portal.app.test_client().post("/api/v1/cti/events", json=event())
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "nothing"},
        {"at": "2026-06-18T10:00:00"},
        {"event_id": ""},
        {"caller": "x" * 99},
        {"another": 1},
    ],
)
def test_an_event_that_does_not_fit_its_description_is_refused_by_field(
    portal: Portal, wrong: dict[str, object]
) -> None:
    status, answer = told(portal, event(**wrong))
    assert status == 422
    assert answer["code"] == "bad_request"
    assert set(answer["detail"]) & set(wrong)


def test_the_door_is_described_for_programs(portal: Portal) -> None:
    described = portal.app.test_client().get("/api/v1/openapi.json").get_json()
    assert described["openapi"].startswith("3.1")
    responses = described["paths"]["/api/v1/cti/events"]["post"]["responses"]
    assert {"200", "401", "409", "422", "503"} <= set(responses)
