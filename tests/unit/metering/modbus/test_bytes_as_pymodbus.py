"""What we send is what pymodbus sends, byte by byte, and what it answers we understand."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU
from pymodbus.pdu import bit_message as bits
from pymodbus.pdu import register_message as registers
from pymodbus.pdu.mei_message import (
    ReadDeviceInformationRequest,
    ReadDeviceInformationResponse,
)

from metering.modbus.controls import Write
from metering.modbus.mbap import HEADER, Frame, NotModbus, Unframer
from metering.modbus.pdu import (
    identification_pdu,
    parse_identification,
    parse_write,
    write_echo,
    write_pdu,
)
from metering.modbus.plan import Block
from metering.modbus.rtu import RtuUnframer, checksum, framed_rtu

UNITS, ADDRESSES, WORDS = st.integers(0, 255), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF)
TRANSACTIONS = st.integers(0, 0xFFFF)
READS: dict[int, Any] = {
    1: bits.ReadCoilsRequest,
    2: bits.ReadDiscreteInputsRequest,
    3: registers.ReadHoldingRegistersRequest,
    4: registers.ReadInputRegistersRequest,
}


def mbap(transaction: int, unit: int, pdu: bytes) -> bytes:
    return HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu


def framed_alike(message: Any, transaction: int, unit: int, pdu: bytes) -> None:
    """Both frame the message in the same bytes, on Modbus TCP and on RTU."""
    message.transaction_id, message.dev_id = transaction, unit
    assert FramerSocket(DecodePDU(False)).buildFrame(message) == mbap(transaction, unit, pdu)
    assert FramerRTU(DecodePDU(False)).buildFrame(message) == framed_rtu(unit, pdu)


@given(st.sampled_from(sorted(READS)), ADDRESSES, st.integers(1, 125), UNITS, TRANSACTIONS)
def test_a_read(function: int, address: int, count: int, unit: int, transaction: int) -> None:
    message = READS[function](address=address, count=count)
    framed_alike(message, transaction, unit, Block(function, address, count).question)


@given(ADDRESSES, st.lists(WORDS, min_size=1, max_size=123), UNITS, TRANSACTIONS)
def test_registers_written(address: int, values: list[int], unit: int, transaction: int) -> None:
    several = registers.WriteMultipleRegistersRequest(address=address, registers=values)
    framed_alike(several, transaction, unit, write_pdu(Write(16, address, tuple(values))))
    single = registers.WriteSingleRegisterRequest(address=address, registers=values[:1])
    framed_alike(single, transaction, unit, write_pdu(Write(6, address, tuple(values[:1]))))


@given(ADDRESSES, st.lists(st.booleans(), min_size=1, max_size=1968), UNITS, TRANSACTIONS)
def test_coils_written(address: int, values: list[bool], unit: int, transaction: int) -> None:
    numbers = tuple(int(value) for value in values)
    several = bits.WriteMultipleCoilsRequest(address=address, bits=values)
    framed_alike(several, transaction, unit, write_pdu(Write(15, address, numbers)))
    single = bits.WriteSingleCoilRequest(address=address, bits=values[:1])
    framed_alike(single, transaction, unit, write_pdu(Write(5, address, numbers[:1])))


@given(ADDRESSES, st.lists(WORDS, min_size=1, max_size=123))
def test_the_confirmation_of_a_write(address: int, values: list[int]) -> None:
    several = registers.WriteMultipleRegistersResponse(address=address, count=len(values))
    assert write_echo(Write(16, address, tuple(values))) == b"\x10" + several.encode()
    single = registers.WriteSingleRegisterResponse(address=address, registers=values[:1])
    assert write_echo(Write(6, address, tuple(values[:1]))) == b"\x06" + single.encode()


@given(st.sampled_from([5, 6, 15, 16]), ADDRESSES, st.data())
def test_a_write_taken_apart_is_the_write(function: int, address: int, data: st.DataObject) -> None:
    of_bits = function in {5, 15}
    size = 1 if function in {5, 6} else 100
    values = data.draw(st.lists(st.integers(0, 1) if of_bits else WORDS, min_size=1, max_size=size))
    write = Write(function, address, tuple(values))
    assert parse_write(write_pdu(write)) == write


def test_the_question_who_are_you() -> None:
    message = ReadDeviceInformationRequest(read_code=1, object_id=0)
    framed_alike(message, 7, 3, identification_pdu())


@given(st.dictionaries(st.integers(0, 2), st.binary(min_size=1, max_size=60), min_size=1))
def test_the_answer_who_it_is(texts: dict[int, bytes]) -> None:
    answer = ReadDeviceInformationResponse(read_code=1, information=dict(sorted(texts.items())))
    objects = parse_identification(b"\x2b" + answer.encode())
    assert objects is not None
    assert dict(objects.texts) == texts
    assert objects.next_object is None


@given(st.binary(max_size=80))
def test_no_bytes_break_the_taking_apart(data: bytes) -> None:
    parse_write(data)
    parse_identification(data)


@given(st.binary(min_size=1, max_size=200))
def test_the_checksum(data: bytes) -> None:
    theirs = FramerRTU.compute_CRC(data)
    assert checksum(data) == int.from_bytes(theirs.to_bytes(2, "big"), "little")


REPLIES = st.one_of(
    st.builds(
        lambda function, words: bytes((function, 2 * len(words)))
        + b"".join(word.to_bytes(2, "big") for word in words),
        st.sampled_from([3, 4]),
        st.lists(WORDS, min_size=1, max_size=125),
    ),
    st.builds(lambda f, code: bytes((f | 0x80, code)), st.integers(1, 16), st.integers(1, 11)),
    st.builds(lambda a, v: b"\x06" + a + v, st.binary(min_size=2, max_size=2),
              st.binary(min_size=2, max_size=2)),
)  # fmt: skip


@given(st.lists(st.tuples(UNITS, REPLIES), min_size=1, max_size=6), st.data())
def test_a_stream_of_rtu_replies_is_cut_right_however_it_arrives(
    replies: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    stream = b"".join(framed_rtu(unit, pdu) for unit, pdu in replies)
    unframer, found, at = RtuUnframer(), [], 0
    while at < len(stream):
        step = data.draw(st.integers(1, len(stream) - at))
        found += unframer.feed(stream[at : at + step])
        at += step
    assert [(frame.unit, frame.pdu) for frame in found] == replies
    assert not unframer.holds_part


@given(st.binary(max_size=300))
def test_garbage_is_never_a_frame_with_a_wrong_checksum(data: bytes) -> None:
    unframer = RtuUnframer()
    try:
        for frame in unframer.feed(data):
            assert framed_rtu(frame.unit, frame.pdu) in data
    except NotModbus:
        pass


@given(TRANSACTIONS, UNITS, st.binary(min_size=2, max_size=253))
def test_a_frame_of_theirs_is_a_frame_of_ours(transaction: int, unit: int, pdu: bytes) -> None:
    assert list(Unframer().feed(mbap(transaction, unit, pdu))) == [Frame(transaction, unit, pdu)]
