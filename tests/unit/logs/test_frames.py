"""Raw log bytes become whole lines, whatever the engine and the network did to them."""

import random
from struct import pack
from unicodedata import category

import pytest

from console.logs.frames import LONGEST_LINE_BYTES, PART_BYTES, LineAssembler
from console.sources.protocols.engine import LogLine, Stream

AT = 1795346197.449063
STAMP = b"2026-11-22T11:16:37.449063000Z "


def frame(kind: int, payload: bytes) -> bytes:
    return pack(">BxxxL", kind, len(payload)) + payload


def texts(lines: list[LogLine]) -> list[str]:
    return [line.text for line in lines]


# What the engine sent for a container that writes to both streams (20.10).
RECORDED = (
    b"\x02\x00\x00\x00\x00\x00\x00#2026-11-22T11:16:37.449063307Z err\n"
    b"\x01\x00\x00\x00\x00\x00\x00#2026-11-22T11:16:38.451087251Z out\n"
)


def test_both_streams_are_told_apart_in_their_order() -> None:
    assert LineAssembler("web").feed(RECORDED) == [
        LogLine("web", Stream.STDERR, pytest.approx(1795346197.449063, abs=1e-6), "err"),
        LogLine("web", Stream.STDOUT, pytest.approx(1795346198.451087, abs=1e-6), "out"),
    ]


def test_bytes_may_be_cut_anywhere() -> None:
    whole = LineAssembler("web").feed(RECORDED)
    for size in (1, 2, 7, 8, 9, 50):
        assembler = LineAssembler("web")
        assert [line for at in range(0, len(RECORDED), size) for line in assembler.feed(RECORDED[at : at + size])] == whole


def test_several_lines_in_a_frame_and_an_empty_one_are_all_there() -> None:
    data = frame(1, STAMP + b"one\n" + STAMP + b"two\n") + frame(1, STAMP + b"\n") + frame(2, b"")
    lines = LineAssembler("web").feed(data)
    assert texts(lines) == ["one", "two", ""]
    assert {line.at for line in lines} == {AT}


def test_parts_of_a_long_line_are_joined_without_their_times_while_the_other_stream_goes_on() -> None:
    assembler = LineAssembler("web")
    first = assembler.feed(frame(1, STAMP + b"a" * 100) + frame(2, STAMP + b"between\n"))
    last = assembler.feed(frame(1, STAMP + b"b" * 100) + frame(1, STAMP + b"end\n"))
    assert texts(first) == ["between"]
    assert texts(last) == ["a" * 100 + "b" * 100 + "end"]
    assert last[0].at == AT


def test_a_line_of_a_megabyte_is_one_line_that_says_how_long_it_was() -> None:
    parts = b"".join(frame(1, STAMP + b"x" * PART_BYTES) for _ in range(64)) + frame(1, STAMP + b"\n")
    (line,) = LineAssembler("web").feed(parts)
    assert line.text.startswith("xxx")
    assert line.text.endswith("… (+1,044,480)")


def test_a_line_without_end_is_held_within_a_bound() -> None:
    assembler = LineAssembler("web")
    for _ in range(LONGEST_LINE_BYTES // PART_BYTES + 50):
        assert assembler.feed(frame(1, STAMP + b"x" * PART_BYTES)) == []
    assert assembler.finish()[0].text.endswith(f"… (+{LONGEST_LINE_BYTES - 4096:,})")


def test_what_never_got_an_end_comes_out_at_the_end_of_the_log() -> None:
    assembler = LineAssembler("web")
    assert assembler.feed(frame(2, STAMP + b"half")) == []
    assert assembler.finish() == [LogLine("web", Stream.STDERR, AT, "half")]
    assert assembler.finish() == []


def test_a_terminals_log_has_no_frames_and_keeps_no_carriage_returns() -> None:
    assembler = LineAssembler("web", tty=True)
    lines = assembler.feed(STAMP + b"caf\xc3") + assembler.feed(b"\xa9\r\n" + STAMP + b"hal")
    assert texts(lines) == ["café"]
    assert texts(assembler.finish()) == ["hal"]


def test_a_terminals_long_line_loses_the_times_inside_it() -> None:
    data = STAMP + b"a" * PART_BYTES + STAMP + b"b" * PART_BYTES + STAMP + b"c\r\n"
    (line,) = LineAssembler("web", tty=True).feed(data)
    assert line.text == "a" * 4096 + f"… (+{2 * PART_BYTES + 1 - 4096:,})"


def test_hostile_and_broken_lines_are_text() -> None:
    raw = b"x\x1b]0;pwned\x07y\x1b[2J\xc2\x9b2Jz\x00w \xff \xe2\x80\xae[red]\n"
    (line,) = LineAssembler("web").feed(frame(1, STAMP + raw))
    assert line.text == "xyz␀w � \\u{202e}[red]"


def test_a_password_in_a_line_is_hidden() -> None:
    (line,) = LineAssembler("web").feed(frame(1, STAMP + b"connecting to postgresql://app:hunter22@db/x\n"))
    assert "hunter22" not in line.text


@pytest.mark.parametrize("stamp", [b"2026-11-22T12:16:37.449063+01:00 ", b"2026-11-22T11:16:37.449063Z "])
def test_other_forms_of_time_are_understood(stamp: bytes) -> None:
    (line,) = LineAssembler("web").feed(frame(1, stamp + b"x\n"))
    assert (line.at, line.text) == (pytest.approx(AT), "x")


def test_a_line_without_a_time_has_that_of_the_line_before() -> None:
    lines = LineAssembler("web").feed(frame(1, STAMP + b"a\n") + frame(1, b"2026-99-99T99:99:99.123456789Z b\n"))
    assert [line.at for line in lines] == [AT, AT]
    assert lines[1].text == "2026-99-99T99:99:99.123456789Z b"


def test_bytes_that_are_no_frames_are_refused_and_never_crash_otherwise() -> None:
    with pytest.raises(ValueError, match="frames"):
        LineAssembler("web").feed(b"<html><body>502 Bad Gateway")
    noise = random.Random(7)
    for tty in (False, True):
        for _ in range(200):
            assembler = LineAssembler("web", tty=tty)
            try:
                lines = assembler.feed(noise.randbytes(300)) + assembler.feed(RECORDED) + assembler.finish()
            except ValueError:
                continue
            assert not any(category(character) == "Cc" for line in lines for character in line.text)
