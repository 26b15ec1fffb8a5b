"""Times that lines of log files tell."""

import pytest

from console.sources.host.log_times import dated, told_time

TEN = 1_795_341_600.0
"""2026-11-22 10:00 UTC."""


@pytest.mark.parametrize(
    ("line", "after_s"),
    [
        ("2026-11-22T10:00:01.5Z INFO ready", 1.5),
        ('{"level": "info", "timestamp": "2026-11-22T11:00:02.000+01:00", "msg": "x"}', 2.0),
        ("2026-11-22 10:00:03.250 UTC [123] LOG:  checkpoint", 3.25),
        ("[2026-11-22 10:00:04,100] ERROR in app", 4.1),
        ("2026/11/22 10:00:05 [error] 12#12: connect() failed", 5.0),
        ('10.0.0.1 - - [22/Nov/2026:12:00:06 +0200] "GET / HTTP/1.1" 200 5', 6.0),
        ("12:M 22 Nov 2026 10:00:07.500 * Ready to accept connections", 7.5),
        ("Nov 22 10:00:08 host dotmac[12]: started", 8.0),
    ],
)
def test_each_usual_stamp_is_understood(line: str, after_s: float) -> None:
    assert told_time(line, 0, TEN + 60) == pytest.approx(TEN + after_s)


def test_a_stamp_without_a_zone_is_in_the_machines() -> None:
    assert told_time("2026-11-22 15:30:00 INFO", 19_800, TEN) == TEN


def test_syslog_before_new_year_is_of_last_year() -> None:
    january = 1_798_761_600.0
    assert told_time("Dec 31 23:59:00 host x", 0, january) == january - 60


@pytest.mark.parametrize("line", ["Traceback (most recent call last):", "2026-13-45 99:99:99 nonsense", "", "Foo 22 10:00:08 x"])
def test_other_lines_tell_no_time(line: str) -> None:
    assert told_time(line, 0, TEN) is None


def test_a_line_without_a_stamp_belongs_to_the_one_before() -> None:
    lines = ["   tail of a traceback", "2026-11-22T10:00:01Z ERROR x", "Traceback:", "2026-11-22T10:00:03Z INFO y"]
    found = dated(lines, name="backend", modified_at=TEN + 9, zone_s=0)
    assert [line.at - TEN for line in found] == [1, 1, 1, 3]
    assert {line.container for line in found} == {"backend"}
    assert [line.text for line in dated(lines, name="backend", modified_at=TEN, zone_s=0, since=TEN + 2)] == [lines[3]]


def test_without_any_stamp_lines_are_as_old_as_the_file() -> None:
    (line,) = dated(["\x1b[31mred\x1b[0m password=hunter22"], name="backend", modified_at=TEN, zone_s=0)
    assert line.at == TEN
    assert line.text == "red password=•••"
