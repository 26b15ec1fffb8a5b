"""How a log line looks: what the time column says is not said twice."""

import pytest

from console.sources.protocols.engine import LogLine, Stream
from widgets.log_rows import untimed

AT = 1_795_347_002.4  # 2026-11-22 11:30:02.4 UTC


def line(text: str) -> LogLine:
    return LogLine("sms-backend", Stream.STDOUT, AT, text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-22 11:30:02,400 INFO [backend.api] GET /", "INFO [backend.api] GET /"),
        ("2026-11-22 13:30:02,400 INFO in another zone", "INFO in another zone"),
        ("2026-11-22T17:00:01.999+05:30 INFO in a half-hour zone", "INFO in a half-hour zone"),
        ("2026-11-22 11:30:01.123 UTC [760] LOG:  checkpoint", "[760] LOG:  checkpoint"),
        ("2026/11/22 11:30:02 [error] 9#9: connect() failed", "[error] 9#9: connect() failed"),
    ],
)
def test_a_stamp_that_says_what_the_time_column_says_is_left_out(text: str, shown: str) -> None:
    assert untimed(line(text)) == shown


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22 11:21:02,400 INFO nine minutes ago",
        "2026-11-22 11:30:02,400",
        "2026-11-22 11:30:02,400INFO",
        "INFO 2026-11-22 11:30:02 later",
        "",
    ],
)
def test_any_other_text_is_shown_whole(text: str) -> None:
    assert untimed(line(text)) == text
