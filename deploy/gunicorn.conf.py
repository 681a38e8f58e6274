"""gunicorn for the portal: one process, threads, so that live streams do not block pages."""
# ruff: noqa: INP001 - gunicorn loads it by path

from foundation import logs
from foundation.settings import settings

_settings = settings()

bind = f"{_settings.host}:{_settings.port}"
workers = 1  # one process holds the live streams of its clients; scale by more hosts
worker_class = "gthread"
threads = _settings.web_threads
timeout = 60
graceful_timeout = 5
keepalive = 15
accesslog = None  # pages are logged by the application, as structured lines
preload_app = False
forwarded_allow_ips = "127.0.0.1"
control_socket_disable = True  # the supervisor or systemd starts and stops it


def post_worker_init(_worker: object) -> None:
    """Log in our own format once the application is loaded."""
    logs.start("web", _settings.log_level)


def on_starting(_server: object) -> None:
    """The same for the process that watches the workers."""
    logs.start("web", _settings.log_level)
