"""HTTP chunks, cut anywhere, give their content."""

import pytest

from console.sources.docker.stream import Chunks

WIRE = b"5\r\nhello\r\n1;ext=1\r\n \r\nA\r\nworld\r\nab\n\r\n0\r\n\r\n"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_chunks_may_be_cut_anywhere(size: int) -> None:
    chunks = Chunks()
    content = b"".join(chunks.feed(WIRE[at : at + size]) for at in range(0, len(WIRE), size))
    assert content == b"hello world\r\nab\n"
    assert chunks.ended


@pytest.mark.parametrize("wire", [b"hello\r\n", b"x" * 2000, b"\r\n"])
def test_what_are_no_chunks_is_refused(wire: bytes) -> None:
    with pytest.raises(ValueError, match="chunk"):
        Chunks().feed(wire)
