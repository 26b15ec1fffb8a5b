import stat
from pathlib import Path

import pytest

from console.logs.save import save
from console.sources.protocols.engine import LogLine, Stream

LINES = [LogLine("sms-backend", Stream.STDERR, 0.5, "ERROR: x")]


def test_each_line_is_written_with_its_time_and_container(tmp_path: Path) -> None:
    written, count = save(tmp_path / "out.txt", LINES)
    assert written.read_text() == "1970-01-01T00:00:00.500+00:00 sms-backend stderr ERROR: x\n"
    assert count == 1
    assert stat.S_IMODE(written.stat().st_mode) == 0o600


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("precious")
    with pytest.raises(FileExistsError):
        save(path, LINES)
    assert path.read_text() == "precious"
