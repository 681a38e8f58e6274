"""How a serial line is said, and the silence between its frames."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.modbus.serial_line import LineWrong, SerialLine


@given(st.integers(300, 921_600), st.sampled_from("NEO"), st.sampled_from([1, 2]))
def test_what_is_said_is_read_and_said_again(baud: int, parity: str, stop_bits: int) -> None:
    said = f"{baud}-8{parity}{stop_bits}"
    assert str(SerialLine.of(said)) == said
    assert SerialLine.of(f" {baud} 8{parity.lower()}{stop_bits} ") == SerialLine.of(said)


@pytest.mark.parametrize(
    "said", ["", "9600", "9600-8X1", "9600-7E1", "299-8N1", "921601-8N1", "9600-8N3", "a-8N1"]
)
def test_what_is_no_line_for_rtu_frames_is_refused(said: str) -> None:
    with pytest.raises(LineWrong):
        SerialLine.of(said)


def test_frames_are_three_and_a_half_characters_apart() -> None:
    assert SerialLine.of("9600-8N1").silence_s == pytest.approx(0.004, abs=2e-5)
    assert SerialLine.of("1200-8E1").silence_s == pytest.approx(0.032, abs=1e-4)
    assert SerialLine.of("115200-8N1").silence_s == 0.00175
