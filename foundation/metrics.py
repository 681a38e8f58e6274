"""Prometheus metrics and health of processes that serve no pages."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, generate_latest

UNHANDLED = Counter("gridhall_unhandled_errors_total", "Errors nobody answered", ["process"])
EVENTS = Counter("gridhall_events_total", "Domain events published", ["name"])
JOBS = Counter("gridhall_jobs_total", "Jobs run", ["name", "outcome"])
LEADER = Gauge("gridhall_clock_leader", "1 while this process leads the clock")

Health = Callable[[], dict[str, object]]


def serve(port: int, health: Health) -> ThreadingHTTPServer | None:
    """Serve /metrics, /healthz and /readyz on a loopback port from a thread of its own.

    Args:
        port: loopback port; 0 serves nothing.
        health: facts about the process; a key `ready` that is false answers 503.
    """
    if port == 0:
        return None

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, generate_latest())
            elif self.path == "/healthz":
                self._answer(200, "application/json", b'{"alive": true}')
            elif self.path == "/readyz":
                facts = health()
                status = 200 if facts.get("ready", True) else 503
                self._answer(status, "application/json", json.dumps(facts, default=str).encode())
            else:
                self._answer(404, "text/plain", b"not found\n")

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Stay quiet: probes come every few seconds."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Page)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
