"""A request is followed through all logs by the id that its lines carry."""

from console.logs.trace import known_ids, trace
from console.sources.protocols.engine import LogLine, Stream

AT = 1_795_000_000.0


def line(after_s: float, container: str, text: str, stream: Stream = Stream.STDOUT) -> LogLine:
    return LogLine(container, stream, AT + after_s, text)


def test_lines_of_all_containers_come_in_the_order_of_time_with_their_tracebacks() -> None:
    found = trace(
        [
            line(0.0, "proxy", 'POST /api/v1/commands correlation_id=abc-1 "x"'),
            line(0.3, "backend", "INFO other request correlation_id=abc-2"),
            line(0.2, "backend", "ERROR: command failed correlation_id=abc-1", Stream.STDERR),
            line(0.2, "backend", "Traceback (most recent call last):", Stream.STDERR),
            line(0.2, "backend", '  File "x.py", line 1', Stream.STDERR),
            line(0.2, "backend", "ValueError: no such vehicle", Stream.STDERR),
            line(0.4, "backend", "ERROR: something else", Stream.STDERR),
            line(0.5, "backend", "WARNING: User ann (role=engineer) hit rate limit on /api/v1/commands correlation_id=abc-1"),
            line(0.6, "proxy", "POST /api/v1/commands 429 600ms correlation_id=abc-1"),
        ],
        "abc-1",
    )
    assert [step.line.text[:9] for step in found.steps] == [
        "POST /api",
        "ERROR: co",
        "Traceback",
        '  File "x',
        "ValueErro",
        "WARNING: ",
        "POST /api",
    ]
    assert (found.lines, found.errors, found.containers) == (4, 1, ("proxy", "backend"))
    assert (found.status, found.user, found.role, found.path) == (429, "ann", "engineer", "/api/v1/commands")


def test_an_id_that_no_line_carries_leads_nowhere() -> None:
    found = trace([line(0, "backend", "INFO fine")], "abc-1")
    assert (found.steps, found.status, found.user) == ((), None, "")


def test_an_id_inside_a_longer_word_is_another_one() -> None:
    found = trace([line(0, "backend", "GET /dabc request_id=9abc1"), line(1, "backend", "request_id=abc: done")], "abc")
    assert [step.line.at for step in found.steps] == [AT + 1]


def test_the_ids_in_the_logs_are_known_the_newest_first() -> None:
    lines = [
        line(0, "a", "x correlation_id=one"),
        line(1, "b", "GET /x 200 3ms request_id=two"),
        line(2, "a", "y correlation_id=one"),
        line(3, "a", "nothing"),
    ]
    assert known_ids(lines) == (("one", 2, AT + 2), ("two", 1, AT + 1))
