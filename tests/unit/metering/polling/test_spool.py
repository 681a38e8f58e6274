"""The spool: what goes in comes out, in order and once, whatever is cut off or broken."""

from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.polling.spool import MARK, Damage, Spool, frame, frames, orphans
from metering.polling.types import SpoolFull

contents = st.lists(st.binary(max_size=60), min_size=1, max_size=8)


def whole(data: bytes) -> list[tuple[int, bytes]]:
    return [found[:2] for found in frames(data) if not isinstance(found, Damage)]


def damage(data: bytes) -> list[Damage]:
    return [found for found in frames(data) if isinstance(found, Damage)]


def drained(spool: Spool) -> list[tuple[int, bytes]]:
    found = []
    while (entry := spool.first()) is not None:
        found.append((entry.number, entry.content))
        spool.drop()
    return found


@given(contents)
def test_frames_come_back_in_order(some: list[bytes]) -> None:
    numbered = list(enumerate(some, start=1))
    assert whole(b"".join(frame(*one) for one in numbered)) == numbered


@given(contents, st.data())
def test_a_cut_tail_is_dropped_and_counted(some: list[bytes], data: st.DataObject) -> None:
    numbered = list(enumerate(some, start=1))
    last = frame(*numbered[-1])
    kept = data.draw(st.integers(0, len(last) - 1))
    spoilt = b"".join(frame(*one) for one in numbered[:-1]) + last[:kept]
    assert whole(spoilt) == numbered[:-1]
    assert damage(spoilt) == ([Damage(kept, at_tail=True)] if kept else [])


@given(contents, st.data())
def test_a_broken_byte_spoils_one_frame_alone(some: list[bytes], data: st.DataObject) -> None:
    numbered = list(enumerate(some, start=1))
    framed = [frame(*one) for one in numbered]
    which = data.draw(st.integers(0, len(framed) - 1))
    where = data.draw(st.integers(0, len(framed[which]) - 1))
    broken = bytearray(framed[which])
    broken[where] ^= data.draw(st.integers(1, 255))
    spoilt = b"".join([*framed[:which], bytes(broken), *framed[which + 1 :]])
    assert whole(spoilt) == numbered[:which] + numbered[which + 1 :]
    assert sum(one.size for one in damage(spoilt)) == len(framed[which])


def test_content_that_looks_like_a_mark_is_content() -> None:
    some = [(1, MARK * 5), (2, frame(9, b"inner"))]
    assert whole(b"".join(frame(*one) for one in some)) == some


def test_what_is_appended_is_drained_in_order_while_more_is_appended(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", limit_bytes=10_000)
    spool.append(1, b"one")
    spool.append(2, b"two")
    first = spool.first()
    assert first is not None
    assert first.content == b"one"
    assert spool.first() == first
    spool.append(3, b"three")
    assert drained(spool) == [(1, b"one"), (2, b"two"), (3, b"three")]
    assert spool.is_empty
    assert spool.size == 0
    spool.append(4, b"four")
    assert drained(spool) == [(4, b"four")]
    spool.close()


def test_files_turn_over_and_go_when_they_are_drained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metering.polling.spool.FILE_BYTES", 100)
    spool = Spool(tmp_path / "s", limit_bytes=10_000)
    some = [(number, bytes([number]) * 40) for number in range(1, 8)]
    for one in some:
        spool.append(*one)
    assert len(list((tmp_path / "s").glob("*.spool"))) == 7
    for expected in some[:3]:
        entry = spool.first()
        assert entry is not None
        assert (entry.number, entry.content) == expected
        spool.drop()
    assert len(list((tmp_path / "s").glob("*.spool"))) == 4
    assert drained(spool) == some[3:]
    spool.close()


def test_a_process_that_was_killed_leaves_what_the_next_one_drains(tmp_path: Path) -> None:
    worker = uuid4()
    spool = Spool(tmp_path / str(worker), limit_bytes=10_000)
    spool.append(1, b"one")
    spool.append(2, b"two")
    assert orphans(tmp_path, but=uuid4()) == []
    (file,) = (tmp_path / str(worker)).glob("*.spool")
    with file.open("ab") as torn:
        torn.write(frame(3, b"three")[:-2])
    spool.close()  # as the kernel does with the files of a process that is gone
    assert orphans(tmp_path, but=uuid4()) == [worker]
    again = Spool(tmp_path / str(worker), limit_bytes=10_000)
    assert drained(again) == [(1, b"one"), (2, b"two")]
    assert again.damaged_bytes == len(frame(3, b"three")) - 2
    again.close()
    assert list(tmp_path.iterdir()) == []


def test_two_processes_never_drain_the_same_spool(tmp_path: Path) -> None:
    worker = uuid4()
    first = Spool(tmp_path / str(worker), limit_bytes=10_000)
    with pytest.raises(BlockingIOError):
        Spool(tmp_path / str(worker), limit_bytes=10_000)
    first.close()


def test_a_full_spool_refuses_and_keeps_what_it_has(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", limit_bytes=len(frame(1, b"12345")) * 2)
    spool.append(1, b"12345")
    spool.append(2, b"12345")
    with pytest.raises(SpoolFull):
        spool.append(3, b"1")
    assert drained(spool) == [(1, b"12345"), (2, b"12345")]
    spool.append(3, b"12345")
    assert drained(spool) == [(3, b"12345")]
    spool.close()


def test_a_full_disk_keeps_nothing_of_what_it_could_not_hold(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", limit_bytes=10_000)
    spool.append(1, b"one")
    assert spool._writing is not None
    real = spool._writing

    class Full:
        name = real.name

        def write(self, data: bytes) -> int:
            real.write(data[:5])
            raise OSError(28, "No space left on device")

        def truncate(self, size: int) -> int:
            return real.truncate(size)

        def fileno(self) -> int:
            return real.fileno()

    spool._writing = Full()  # type: ignore[assignment]
    with pytest.raises(SpoolFull):
        spool.append(2, b"two")
    spool._writing = real
    spool.append(3, b"three")
    assert drained(spool) == [(1, b"one"), (3, b"three")]
    assert spool.damaged_bytes == 0
    spool.close()
