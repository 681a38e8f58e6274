"""Frames out of a stream, however it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.modbus.mbap import HEADER, Frame, NotModbus, Unframer, joined, parted

FRAMES = st.lists(
    st.builds(
        Frame, st.integers(0, 0xFFFF), st.integers(0, 255), st.binary(min_size=2, max_size=253)
    ),
    max_size=6,
)


def sent(frames: list[Frame]) -> bytes:
    return b"".join(
        HEADER.pack(frame.transaction, 0, len(frame.pdu) + 1, frame.unit) + frame.pdu
        for frame in frames
    )


@given(FRAMES, st.lists(st.integers(1, 400), min_size=1))
def test_frames_come_out_whole_however_the_stream_is_cut(
    frames: list[Frame], cuts: list[int]
) -> None:
    stream, unframer, got = sent(frames), Unframer(), []
    for cut in [*cuts, len(stream)]:
        got += list(unframer.feed(stream[:cut]))
        stream = stream[cut:]
    assert got == frames
    assert not unframer.holds_part


@pytest.mark.parametrize("length", [0, 1, 2, 255, 0xFFFF])
def test_an_impossible_length_is_not_modbus(length: int) -> None:
    with pytest.raises(NotModbus):
        list(Unframer().feed(HEADER.pack(1, 0, length, 1)))


def test_another_protocol_is_not_modbus() -> None:
    with pytest.raises(NotModbus):
        list(Unframer().feed(HEADER.pack(1, 7, 6, 1)))


def test_a_frame_that_has_begun_is_remembered() -> None:
    unframer = Unframer()
    assert list(unframer.feed(b"\x00\x01\x00")) == []
    assert unframer.holds_part


@given(FRAMES, st.integers(0, 300))
def test_one_whole_frame_is_what_feeding_it_gives_and_anything_else_is_none(
    frames: list[Frame], cut: int
) -> None:
    stream = sent(frames)[:cut]
    whole = Unframer().whole(stream)
    fed = list(Unframer().feed(stream))
    alone = len(fed) == 1 and sent(fed) == stream
    assert whole == ((*fed[0][:2], *parted(fed[0].pdu)) if alone else None)
    assert all(joined(*parted(frame.pdu)) == frame.pdu for frame in frames)
