"""Live signals to open pages: server-sent events without content.

One LISTEN connection per process, fanned out to its streams. A signal may be lost while
that connection is away; pages re-read their parts after a reconnect.
"""

import json
import logging
import queue
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import psycopg
from flask import Blueprint, Response, current_app, request
from prometheus_client import Counter, Gauge

from foundation import clock
from foundation.db import driver_url
from foundation.office import Office
from foundation.outbox import SIGNAL_CHANNEL
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission

logger = logging.getLogger(__name__)
page = Blueprint("live", __name__)

BEAT_S = 4.0
LIFE_S = 15 * 60.0  # a stream ends then, so that an ended sign-in does not listen for ever
BACKLOG = 200
RETRY_S = 10
END = ""

STREAMS = Gauge("gridhall_live_streams", "Open live streams")
SIGNALS = Counter("gridhall_live_signals_total", "Signals fanned out")
REFUSED = Counter("gridhall_live_refused_total", "Streams refused because all were taken")


class Hub:
    """Fans signals out to the streams of this process."""

    def __init__(self, office: Office) -> None:
        self._url, self._limit = office.url, office.settings.streams
        self._streams: dict[queue.Queue[str], frozenset[str]] = {}
        self._lock = threading.Lock()
        self._listener: threading.Thread | None = None

    def open(self, topics: frozenset[str]) -> "queue.Queue[str] | None":
        """Open a stream of some topics (`alerts`, `meter:12`); None when all are taken."""
        with self._lock:
            if len(self._streams) >= self._limit:
                REFUSED.inc()
                return None
            stream: queue.Queue[str] = queue.Queue(BACKLOG)
            self._streams[stream] = topics
            STREAMS.set(len(self._streams))
            if self._listener is None or not self._listener.is_alive():
                self._listener = threading.Thread(target=self._listen, name="live", daemon=True)
                self._listener.start()
        return stream

    def close(self, stream: "queue.Queue[str]") -> None:
        """Close a stream."""
        with self._lock:
            self._streams.pop(stream, None)
            STREAMS.set(len(self._streams))

    def _listen(self) -> None:
        while True:
            try:
                with psycopg.connect(
                    driver_url(self._url), autocommit=True, application_name="gridhall-live"
                ) as connection:
                    connection.execute(f"LISTEN {SIGNAL_CHANNEL}")
                    self._send("hello", {"now": clock.now().isoformat()})
                    for notice in connection.notifies():
                        SIGNALS.inc()
                        self._send("signal", json.loads(notice.payload))
            except (psycopg.Error, ValueError) as error:
                logger.warning("live waits for the database", extra={"error": str(error)[:200]})
                time.sleep(1)

    def _send(self, name: str, content: dict[str, Any]) -> None:
        line = f"event: {name}\ndata: {json.dumps(content)}\n\n"
        wanted = _names(content) if name == "signal" else None
        with self._lock:
            streams = list(self._streams.items())
        for stream, topics in streams:
            if wanted is not None and not topics & wanted:
                continue
            try:
                stream.put_nowait(line)
            except queue.Full:  # too slow: end it, its page reconnects and re-reads
                self.close(stream)
                stream.queue.clear()
                stream.put(END)


def _names(signal: dict[str, Any]) -> frozenset[str]:
    """Give the topics a signal belongs to: its own, and that of its one record."""
    topic = str(signal.get("topic", ""))
    return frozenset({topic, f"{topic}:{signal.get('id', '')}"})


def _stream(hub: Hub, stream: "queue.Queue[str]") -> Iterator[str]:
    ends = time.monotonic() + LIFE_S
    try:
        yield f"retry: 2000\nevent: hello\ndata: {json.dumps({'now': clock.now().isoformat()})}\n\n"
        while time.monotonic() < ends:
            try:
                line = stream.get(timeout=BEAT_S)
                if line == END:
                    return
                yield line
            except queue.Empty:
                yield f"event: beat\ndata: {json.dumps({'now': clock.now().isoformat()})}\n\n"
    finally:
        hub.close(stream)


@page.get("/events")
@allow(Permission.USE_OFFICE)
def events() -> Response:
    """Stream signals; 503 when this process has all the streams it can hold."""
    hub: Hub = current_app.config["HUB"]
    topics = request.args.get("topics", "")[:4000]
    stream = hub.open(frozenset(topics.split(",")))
    if stream is None:
        return Response(status=503, headers={"Retry-After": str(RETRY_S)})
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    answer = Response(_stream(hub, stream), mimetype="text/event-stream", headers=headers)
    answer.call_on_close(partial(hub.close, stream))  # also if nothing was ever read from it
    return answer
