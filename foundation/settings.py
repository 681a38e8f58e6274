"""Every environment variable the office reads: name, meaning, unit, default.

Read once by each entry point (`Settings.from_env()`); nothing else looks at the environment.
"""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from foundation import setting_words as words
from foundation.errors import BadData


class SettingRefused(BadData):
    """An environment variable holds something that cannot be used."""

    code = "setting_refused"


class FolderRefused(BadData):
    """The data folder cannot be written; facts: folder, said."""

    code = "folder_refused"


@dataclass(frozen=True)
class Variable:
    """One documented environment variable."""

    name: str
    meaning: str
    unit: str = ""
    default: str | None = None
    read: Callable[[str], Any] = str
    secret: bool = False


def _variable(
    name: str,
    meaning: str,
    *,
    unit: str = "",
    default: str | None = None,
    read: Callable[[str], Any] = str,
    secret: bool = False,
) -> Any:
    spec = Variable(name, meaning, unit, default, read, secret)
    return field(metadata={"variable": spec})


@dataclass(frozen=True)
class Settings:
    """The office's settings, as read from the environment at start."""

    data_dir: Path = _variable(
        "GRIDHALL_DATA_DIR",
        "folder for the database, secrets, uploads and the office's own profiles",
        default="var",
        read=words.folder,
    )
    database_url: str | None = _variable(
        "DATABASE_URL",
        "an existing PostgreSQL 15+; its account owns the schema and may create roles."
        " Without it the embedded server is used",
    )
    database_url_office: str | None = _variable(
        "DATABASE_URL_OFFICE", "the account of web and worker; made from DATABASE_URL if not set"
    )
    database_url_poller: str | None = _variable(
        "DATABASE_URL_POLLER", "the account of the poller; made from DATABASE_URL if not set"
    )
    host: str = _variable("GRIDHALL_HOST", "address the portal listens on", default="127.0.0.1")
    port: int = _variable("GRIDHALL_PORT", "port the portal listens on", default="8600", read=int)
    web_threads: int = _variable(
        "GRIDHALL_WEB_THREADS",
        "request threads of the web process, live streams included",
        default="48",
        read=int,
    )
    streams: int = _variable(
        "GRIDHALL_STREAMS",
        "live streams one web process serves at once; beyond it pages poll",
        default="32",
        read=int,
    )
    proxies: int = _variable(
        "GRIDHALL_PROXIES",
        "how many front servers forward requests; their X-Forwarded headers are believed",
        default="0",
        read=int,
    )
    secure_cookies: bool = _variable(
        "GRIDHALL_SECURE_COOKIES",
        "send cookies over HTTPS only; set it behind a TLS front",
        default="0",
        read=words.flag,
    )
    time_zone: ZoneInfo = _variable(
        "OFFICE_TIME_ZONE",
        "the office's time zone (IANA name); business dates and limits follow it",
        default="Asia/Shanghai",
        read=words.zone,
    )
    brand_zh: str = _variable(
        "BRAND_NAME_ZH", "company name on Chinese pages", default="云川供电 95598"
    )
    brand_en: str = _variable(
        "BRAND_NAME_EN", "company name on English pages", default="Yunchuan Power 95598"
    )
    brand_logo: str | None = _variable("BRAND_LOGO", "path of a logo file (SVG or PNG)")
    session_hours: int = _variable(
        "GRIDHALL_SESSION_HOURS",
        "a sign-in ends after this long without a request",
        unit="h",
        default="12",
        read=int,
    )
    lock_after: int = _variable(
        "GRIDHALL_LOCK_AFTER", "so many failed sign-ins lock an account", default="5", read=int
    )
    lock_minutes: int = _variable(
        "GRIDHALL_LOCK_MINUTES",
        "how long a locked account stays locked",
        unit="min",
        default="15",
        read=int,
    )
    secret_key: str | None = _variable(
        "GRIDHALL_SECRET_KEY",
        "signs cookies; kept in the data folder's secrets file if not set",
        secret=True,
    )
    seal_key: str | None = _variable(
        "GRIDHALL_SEAL_KEY",
        "64 hexadecimal digits that encrypt identity numbers and phones;"
        " kept in the data folder's secrets file if not set",
        read=words.key,
        secret=True,
    )
    cti_secret: str | None = _variable(
        "GRIDHALL_CTI_SECRET",
        "the phone switch signs its events with it; kept in the secrets file if not set",
        secret=True,
    )
    message_gateway: str = _variable(
        "GRIDHALL_MESSAGE_GATEWAY",
        "where notices to customers go: file (one file each in the data folder) or log",
        default="file",
        read=words.one_of("file", "log"),
    )
    simulator_port: int = _variable(
        "GRIDHALL_SIMULATOR_PORT",
        "loopback port on which the terminal simulator takes orders",
        default="8610",
        read=int,
    )
    worker_metrics_port: int = _variable(
        "GRIDHALL_WORKER_METRICS_PORT",
        "loopback port of the worker's metrics and health; 0 = none",
        default="8611",
        read=int,
    )
    poller_metrics_port: int = _variable(
        "GRIDHALL_POLLER_METRICS_PORT",
        "loopback port of the poller's metrics and health; 0 = none",
        default="8612",
        read=int,
    )
    simulator_metrics_port: int = _variable(
        "GRIDHALL_SIMULATOR_METRICS_PORT",
        "loopback port of the simulator's metrics and health; 0 = none",
        default="8613",
        read=int,
    )
    leader_timeout_s: float = _variable(
        "GRIDHALL_LEADER_TIMEOUT",
        "a clock leader silent for longer is replaced",
        unit="s",
        default="10",
        read=float,
    )
    read_timeout_s: float = _variable(
        "GRIDHALL_READ_TIMEOUT",
        "how long a terminal may take to answer one request",
        unit="s",
        default="3",
        read=float,
    )
    probe_networks: tuple[IPv4Network | IPv6Network, ...] = _variable(
        "GRIDHALL_PROBE_NETWORKS",
        "networks in which the profile page may look at devices; private ones and this machine",
        default="10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 127.0.0.0/8 fc00::/7 ::1",
        read=words.networks,
    )
    meter_tls_ca: Path | None = _variable(
        "GRIDHALL_METER_TLS_CA",
        "file with the certificates that terminals reached by TLS are signed with;"
        " empty = no terminal is reached by TLS",
        default="",
        read=words.file_or_none,
    )
    meter_tls_cert: Path | None = _variable(
        "GRIDHALL_METER_TLS_CERT",
        "file with our own certificate for terminals reached by TLS; empty = we show none",
        default="",
        read=words.file_or_none,
    )
    meter_tls_key: Path | None = _variable(
        "GRIDHALL_METER_TLS_KEY",
        "file with the key of that certificate; empty = it stands in the same file",
        default="",
        read=words.file_or_none,
    )
    meter_tls_names: bool = _variable(
        "GRIDHALL_METER_TLS_NAMES",
        "a terminal's certificate must name the host it is reached by; no = signed is enough",
        default="yes",
        read=words.flag,
    )
    poller_site: str = _variable(
        "GRIDHALL_POLLER_SITE",
        "whose terminals the poller asks: those of this site alone; empty = those of none",
        default="",
    )
    lease_s: float = _variable(
        "GRIDHALL_LEASE",
        "a poller that is silent for longer loses its connections to the others",
        unit="s",
        default="10",
        read=float,
    )
    without_lease: str = _variable(
        "GRIDHALL_WITHOUT_LEASE",
        "what a poller does while the database is away: spool (reads on), stop (leaves its"
        " connections to others), auto (spool while it is the only one of its site)",
        default="auto",
        read=words.one_of("auto", "spool", "stop"),
    )
    spool_mb: int = _variable(
        "GRIDHALL_SPOOL",
        "what a poller may keep on its disk while the database is away; beyond it asks no more",
        unit="MB",
        default="2000",
        read=int,
    )
    reading_days: int = _variable(
        "GRIDHALL_READING_DAYS",
        "readings are kept so long; their hours and days stay",
        unit="d",
        default="1100",
        read=int,
    )
    gap_days: int = _variable(
        "GRIDHALL_GAP_DAYS",
        "intervals without a reading are listed so long",
        unit="d",
        default="35",
        read=int,
    )
    log_level: str = _variable("GRIDHALL_LOG_LEVEL", "least severe level logged", default="INFO")
    upload_mb: int = _variable(
        "GRIDHALL_UPLOAD_MB",
        "largest file that may be uploaded to a case",
        unit="MB",
        default="20",
        read=int,
    )
    demo_port: int = _variable(
        "GRIDHALL_DEMO_PORT",
        "first of the loopback ports the demo town's simulated terminals listen on",
        default="18500",
        read=int,
    )
    demo_interval_s: int = _variable(
        "GRIDHALL_DEMO_INTERVAL",
        "how often the demo town's terminals are asked, a divisor of an hour",
        unit="s",
        default="60",
        read=int,
    )
    demo: bool = _variable(
        "GRIDHALL_DEMO",
        "show the demo sign-ins on the sign-in page; never set it on a real office",
        default="0",
        read=words.flag,
    )

    @classmethod
    def variables(cls) -> list[Variable]:
        """List every variable with its documentation."""
        return [entry.metadata["variable"] for entry in fields(cls)]

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> "Settings":
        """Read the environment.

        Raises:
            SettingRefused: a variable cannot be read; facts: name, value, meaning.
        """
        env = os.environ if env is None else env
        return cls(**{entry.name: _read(entry.metadata["variable"], env) for entry in fields(cls)})

    def cookie_key(self) -> str:
        """Give the key that signs cookies; made and kept if the environment gives none."""
        return self.secret_key or self.kept("GRIDHALL_SECRET_KEY")

    def sealing_key(self) -> bytes:
        """Give the key of sealed columns; made and kept if the environment gives none."""
        return bytes.fromhex(self.seal_key or self.kept("GRIDHALL_SEAL_KEY"))

    def switch_secret(self) -> str:
        """Give what the phone switch signs its events with; made and kept if not given."""
        return self.cti_secret or self.kept("GRIDHALL_CTI_SECRET")

    def kept(self, name: str) -> str:
        """Give a secret the office made for itself."""
        return Secrets(self.data_dir / "secrets.env").get(name)


def _read(variable: Variable, env: Mapping[str, str]) -> Any:
    raw = env.get(variable.name) or variable.default
    if raw is None:
        return None
    try:
        return variable.read(raw)
    except (ValueError, KeyError) as error:
        raise SettingRefused(
            name=variable.name,
            value="***" if variable.secret else raw,
            meaning=variable.meaning,
        ) from error


class Secrets:
    """Random keys the office made for itself, in one file only its owner may read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def get(self, name: str) -> str:
        """Give a secret of 64 hexadecimal digits, made at the first call.

        Raises:
            FolderRefused: the file cannot be read or written.
        """
        try:
            known = self._known()
            if name not in known:
                with self._alone():
                    known = self._known()
                    known.setdefault(name, secrets.token_hex(words.KEY_BYTES))
                    self._keep(known)
        except OSError as error:
            raise FolderRefused(folder=str(self.path.parent), said=error.strerror) from error
        return known[name]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one process at a time make keys: two first starts must not each make their own."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _known(self) -> dict[str, str]:
        if not self.path.exists():
            return {}
        lines = self.path.read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def _keep(self, known: Mapping[str, str]) -> None:
        draft = self.path.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text("".join(f"{k}={v}\n" for k, v in sorted(known.items())), encoding="utf-8")
        draft.replace(self.path)


@cache
def settings() -> Settings:
    """The process's settings, read at the first call."""
    return Settings.from_env()
