"""The spool: parcels in local files while the database is away, in order, none lost.

Each polling process has a folder of its own with numbered files that only grow. A frame is a
mark, the parcel's number, its length and a checksum, and its bytes; it is on the disk before
`append` returns. What a kill or a broken disk left half written is found by length and
checksum, dropped and counted. A file goes when all its parcels are stored.
"""

import contextlib
import errno
import fcntl
import logging
import os
import shutil
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import IO
from uuid import UUID

from metering.polling.types import SpoolFull

logger = logging.getLogger(__name__)

MARK = b"GHSP"
FRAME = Struct(">4sQII")
"""Mark, number, length, checksum of number, length and content."""
FILE_BYTES = 16 * 1024 * 1024
LONGEST = 1 << 30
_SUMMED = Struct(">QI")


@dataclass(frozen=True, slots=True)
class Entry:
    """One spooled parcel: its number, bytes, and where it stands."""

    number: int
    content: bytes
    path: Path
    end: int


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that are no frame; `at_tail` if nothing whole follows them."""

    size: int
    at_tail: bool


def frame(number: int, content: bytes) -> bytes:
    """Frame one parcel."""
    return FRAME.pack(MARK, number, len(content), _checksum(number, content)) + content


def frames(data: bytes) -> Iterator[tuple[int, bytes, int] | Damage]:
    """Cut bytes into parcels as (number, content, end), telling what lies between them."""
    at = 0
    while at < len(data):
        whole = _frame_at(data, at)
        if whole is not None:
            yield whole
            at = whole[2]
            continue
        found = data.find(MARK, at + 1)
        while found >= 0 and _frame_at(data, found) is None:
            found = data.find(MARK, found + 1)
        end = len(data) if found < 0 else found
        yield Damage(end - at, at_tail=found < 0)
        at = end


def _frame_at(data: bytes, at: int) -> tuple[int, bytes, int] | None:
    if len(data) - at < FRAME.size:
        return None
    mark, number, size, checksum = FRAME.unpack_from(data, at)
    start = at + FRAME.size
    if mark != MARK or size > LONGEST or start + size > len(data):
        return None
    content = data[start : start + size]
    return (number, content, start + size) if checksum == _checksum(number, content) else None


def _checksum(number: int, content: bytes) -> int:
    return zlib.crc32(content, zlib.crc32(_SUMMED.pack(number, len(content))))


class Spool:
    """One process's files: `append` at the end, `first` and `drop` at the beginning.

    Args:
        folder: made if it is not there.
        limit_bytes: what all its files may hold together.
    """

    def __init__(self, folder: Path, *, limit_bytes: int) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes
        self.damaged_bytes = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = (folder / "lock").open("ab")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise
        self._sizes = {path: path.stat().st_size for path in sorted(folder.glob("*.spool"))}
        self._turn = threading.Lock()
        self._writing: IO[bytes] | None = None
        self._reading: Iterator[Entry] | None = None
        self._next: Entry | None = None

    @property
    def size(self) -> int:
        """Give what its files hold [byte]."""
        return sum(self._sizes.values())

    @property
    def is_empty(self) -> bool:
        """Whether no file is left."""
        return not self._sizes

    def append(self, number: int, content: bytes) -> None:
        """Put a parcel at the end; it is on the disk when this returns.

        Raises:
            SpoolFull: it does not fit below the limit, or the disk is full; nothing of it is kept.
        """
        framed = frame(number, content)
        with self._turn:
            if self.size + len(framed) > self.limit_bytes:
                raise SpoolFull(bytes=self.size, limit=self.limit_bytes)
            file, path = self._file_for(len(framed), number)
            try:
                if file.write(framed) != len(framed):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301
                os.fsync(file.fileno())
            except OSError as error:
                with contextlib.suppress(OSError):
                    file.truncate(self._sizes[path])
                raise SpoolFull(bytes=self.size, limit=self.limit_bytes) from error
            self._sizes[path] += len(framed)

    def first(self) -> Entry | None:
        """Give the oldest parcel, None if there is none; again until it is dropped."""
        with self._turn:
            while self._next is None and self._sizes:
                if self._reading is None:
                    self._reading = self._entries(next(iter(self._sizes)))
                self._next = next(self._reading, None)
                if self._next is None:
                    self._forget_first()
            return self._next

    def drop(self) -> None:
        """Drop the oldest parcel: it is stored."""
        with self._turn:
            entry, self._next = self._next, None
            if entry is not None and entry.end >= self._sizes.get(entry.path, 0):
                self._forget_first()

    def close(self) -> None:
        """Let go; an empty folder goes."""
        if self._writing is not None:
            self._writing.close()
        if self.is_empty:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()

    def _file_for(self, size: int, number: int) -> tuple[IO[bytes], Path]:
        if self._writing is not None:
            path = Path(self._writing.name)
            if path in self._sizes and self._sizes[path] + size <= FILE_BYTES:
                return self._writing, path
            self._writing.close()
        path = self.folder / f"{number:012d}.spool"
        self._writing = path.open("ab", buffering=0)
        self._sizes[path] = path.stat().st_size
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        return self._writing, path

    def _entries(self, path: Path) -> Iterator[Entry]:
        """Give the parcels of a file, those that are appended meanwhile too."""
        at = 0
        while True:
            with path.open("rb") as file:
                file.seek(at)
                data = file.read(self._sizes.get(path, 0) - at)
            if not data:
                return
            for found in frames(data):
                if isinstance(found, Damage):
                    self._note(path, found)
                else:
                    number, content, end = found
                    yield Entry(number, content, path, at + end)
            at += len(data)

    def _note(self, path: Path, damage: Damage) -> None:
        self.damaged_bytes += damage.size
        logger.error(
            "spool damaged: bytes dropped",
            extra={"file": path.name, "bytes": damage.size, "at_tail": damage.at_tail},
        )

    def _forget_first(self) -> None:
        """Remove the oldest file, all of which is stored."""
        path = next(iter(self._sizes))
        if self._writing is not None and Path(self._writing.name) == path:
            self._writing.close()
            self._writing = None
        path.unlink(missing_ok=True)
        del self._sizes[path]
        self._reading = None


def orphans(root: Path, *, but: UUID) -> list[UUID]:
    """List the folders of processes that are gone: nobody holds their lock."""
    found = []
    for folder in sorted(root.glob("*")):
        with contextlib.suppress(ValueError, OSError):
            worker = UUID(folder.name)
            if worker != but and not _is_held(folder / "lock"):
                found.append(worker)
    return found


def _is_held(lock: Path) -> bool:
    with lock.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
