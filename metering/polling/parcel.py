"""A parcel: what a poller has to store at once, in memory and as bytes for the spool."""

import json
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from struct import Struct
from typing import Any

from foundation.errors import BadData
from metering.polling.types import Back, Failure, MissedSlots
from metering.readings.types import EventKind, NewEvent

_HEAD = Struct(">I")


class ParcelGarbled(BadData):
    """A spooled parcel cannot be read."""

    code = "parcel_garbled"


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a poller read and noticed since the parcel before.

    Attributes:
        number: of the polling process, one more each.
        site: whose connections.
        rows: packed readings; `count` of them, of the UTC days `days`.
        oldest: the oldest slot among them.
        progress: by shard it speaks of, its epoch, and up to when rounds were begun, if any was.
    """

    number: int
    site: str
    rows: bytes = b""
    count: int = 0
    oldest: datetime | None = None
    days: tuple[date, ...] = ()
    failures: tuple[Failure, ...] = ()
    back: tuple[Back, ...] = ()
    events: tuple[NewEvent, ...] = ()
    missed: tuple[MissedSlots, ...] = ()
    progress: dict[int, tuple[int, datetime | None]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it that must be kept."""
        return not (
            self.count or self.failures or self.back or self.events or self.missed or self.progress
        )


def to_bytes(parcel: Parcel) -> bytes:
    """Give a parcel as bytes."""
    said: dict[str, Any] = {
        "number": parcel.number,
        "site": parcel.site,
        "count": parcel.count,
        "oldest": parcel.oldest,
        "days": parcel.days,
        "failures": [asdict(one) for one in parcel.failures],
        "back": [asdict(one) for one in parcel.back],
        "events": [asdict(one) for one in parcel.events],
        "missed": [asdict(one) for one in parcel.missed],
        "progress": [[shard, *facts] for shard, facts in parcel.progress.items()],
    }
    head = json.dumps(said, default=_plain, separators=(",", ":")).encode()
    return _HEAD.pack(len(head)) + head + parcel.rows


def from_bytes(content: bytes) -> Parcel:
    """Give the parcel back.

    Raises:
        ParcelGarbled: these bytes are none.
    """
    try:
        (size,) = _HEAD.unpack_from(content)
        said = json.loads(content[_HEAD.size : _HEAD.size + size])
        return Parcel(
            number=said["number"],
            site=said["site"],
            rows=content[_HEAD.size + size :],
            count=said["count"],
            oldest=_instant(said["oldest"]) if said["oldest"] else None,
            days=tuple(map(date.fromisoformat, said["days"])),
            failures=tuple(Failure(**_with_at(one)) for one in said["failures"]),
            back=tuple(Back(**_with_at(one)) for one in said["back"]),
            events=tuple(
                NewEvent(**_with_at(one) | {"kind": EventKind(one["kind"])})
                for one in said["events"]
            ),
            missed=tuple(MissedSlots(**_with_at(one)) for one in said["missed"]),
            progress={
                shard: (epoch, _instant(at) if at else None)
                for shard, epoch, at in said["progress"]
            },
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise ParcelGarbled(why=str(error)[:200]) from error


def _with_at(said: dict[str, Any]) -> dict[str, Any]:
    return said | {"at": _instant(said["at"])}


def _instant(said: str) -> datetime:
    return datetime.fromisoformat(said)


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
