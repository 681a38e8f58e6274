"""A simulated phone switch: makes calls, and tells the office's door of them over HTTP, signed."""

import json
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from callcenter.calls.rules.signing import SIGNATURE_HEADER, TIME_HEADER, signature
from callcenter.calls.types import CallReason, EventKind, SwitchAway
from foundation import clock

PATH = "/api/v1/cti/events"
PATIENCE_S = 15
ATTEMPTS = 3
TAKEN_BEFORE = 409
AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Told:
    """What the door answered.

    Attributes:
        status: HTTP status.
        answer: the JSON it came with.
    """

    status: int
    answer: dict[str, object]

    @property
    def taken(self) -> bool:
        """Whether the office has the event, from this request or an earlier one."""
        return self.status < 300 or self.status == TAKEN_BEFORE  # noqa: PLR2004 - HTTP's fine


class SimulatedSwitch:
    """Tells events of calls to one office.

    Args:
        url: address of the portal.
        secret: shared with the door.
        zone_now: gives the present, aware; events carry it.
    """

    def __init__(self, url: str, secret: str, *, now: Callable[[], datetime] = clock.now) -> None:
        self._url, self._secret, self._now = url.rstrip("/") + PATH, secret, now

    def new_call(self) -> str:
        """Give a number for a new call."""
        return f"sim-{self._now():%y%m%d%H%M%S}-{secrets.token_hex(3)}"

    def tell(
        self,
        call: str,
        kind: EventKind,
        *,
        caller: str | None = None,
        extension: str = "",
        reason: CallReason = CallReason.NONE,
        at: datetime | None = None,
    ) -> Told:
        """Tell one event; a lost answer is asked for again with the same number.

        Raises:
            SwitchAway: the door does not answer.
        """
        body = {
            "event_id": f"{call}.{kind}.{secrets.token_hex(4)}",
            "call_id": call,
            "type": kind.value,
            "at": (at or self._now()).isoformat(),
            "called": "95598",
            "extension": extension,
            "reason": reason.value,
        }
        if caller:
            body["caller"] = caller
        return self._post(json.dumps(body).encode())

    def _post(self, body: bytes) -> Told:
        why = ""
        for attempt in range(ATTEMPTS):
            try:
                return self._post_once(body)
            except OSError as error:
                why = str(getattr(error, "reason", error))
                time.sleep(0.2 * (attempt + 1))
        raise SwitchAway(why=why)

    def _post_once(self, body: bytes) -> Told:
        timestamp = str(int(time.time()))
        request = urllib.request.Request(  # noqa: S310 - the office's own address
            self._url,
            data=body,
            headers={
                "Content-Type": "application/json",
                TIME_HEADER: timestamp,
                SIGNATURE_HEADER: signature(self._secret, timestamp, body),
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310
                return Told(answer.status, json.load(answer))
        except urllib.error.HTTPError as refused:
            return Told(refused.code, _json(refused.read()))

    def storm(self, callers: Sequence[str], *, reason: CallReason = CallReason.FAULT) -> list[Told]:
        """Let many callers wait at once, each hanging up after the announcement."""

        def call(number: str) -> Told:
            name = self.new_call()
            told = self.tell(name, EventKind.QUEUE, caller=number, reason=reason)
            self.tell(name, EventKind.ABANDON)
            return told

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(call, callers))


def _json(raw: bytes) -> dict[str, object]:
    try:
        found = json.loads(raw)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
