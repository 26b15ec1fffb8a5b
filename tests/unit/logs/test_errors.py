"""A message, its traceback and the request that failed are one error."""

from console.logs.errors import by_kind, find_errors, is_rising
from console.sources.protocols.engine import LogLine, Stream

AT = 1_795_000_000.0
TRACEBACK = ("Traceback (most recent call last):", '  File "/app/x.py", line 1, in f', "    g()")


def wrote(*texts: str, at: float = AT, container: str = "shop-backend", stream: Stream = Stream.STDERR) -> list[LogLine]:
    return [LogLine(container, stream, at + number / 1000, text) for number, text in enumerate(texts)]


def test_message_traceback_and_failed_request_are_one_error() -> None:
    lines = wrote(
        "2026-11-22 10:00:00,100 ERROR [api] Database error while answering GET /a",
        *TRACEBACK,
        "sqlalchemy.exc.TimeoutError: QueuePool limit of size 8 reached",
        "2026-11-22 10:00:00,110 ERROR [api] GET /a 500 30000ms request_id=abc",
    )
    (error,) = find_errors(lines)
    assert error.line == lines[0]
    assert error.traceback
    assert error.raised.startswith("sqlalchemy.exc.TimeoutError")
    assert error.timeout


def test_a_traceback_without_a_message_is_named_by_what_it_raised() -> None:
    (error,) = find_errors(wrote("INFO started", *TRACEBACK, "KeyError: 'JWT_SECRET_KEY'"))
    assert error.line.text == "KeyError: 'JWT_SECRET_KEY'"


def test_a_chain_of_exceptions_is_one_error() -> None:
    chain = "During handling of the above exception, another exception occurred:"
    lines = wrote("ERROR: it broke", *TRACEBACK, "KeyError: 'a'", "", chain, "", *TRACEBACK, "ValueError: b")
    (error,) = find_errors(lines)
    assert error.raised == "ValueError: b"


def test_two_messages_with_a_traceback_each_are_two_errors() -> None:
    one = wrote("ERROR: it broke", *TRACEBACK, "KeyError: 'a'")
    two = wrote("ERROR: it broke", *TRACEBACK, "KeyError: 'a'", at=AT + 0.5)
    assert len(find_errors([*one, *two])) == 2


def test_a_request_that_failed_without_a_word_is_an_error_of_its_own() -> None:
    lines = wrote("ERROR [api] GET /a 500 3ms", "ERROR [api] GET /b 503 3ms")
    assert len(find_errors(lines)) == 2


def test_an_error_explains_one_failed_request_and_no_later_one() -> None:
    lines = wrote("ERROR [api] broken", "ERROR [api] GET /a 500 3ms", "ERROR [api] GET /b 500 3ms")
    late = wrote("ERROR [api] GET /c 500 3ms", at=AT + 10)
    assert [error.line.text for error in find_errors([*lines, *late])] == [
        "ERROR [api] broken",
        "ERROR [api] GET /b 500 3ms",
        "ERROR [api] GET /c 500 3ms",
    ]


def test_the_proxy_logs_the_same_failed_request_once_more_and_it_stays_one_error() -> None:
    lines = wrote("ERROR [api] pool exhausted", "ERROR [api] GET /a 500 3ms")
    proxy = wrote('10.0.0.1 - - [x] "GET /a HTTP/1.1" 500 157', at=AT + 0.01, container="shop-proxy", stream=Stream.STDOUT)
    assert len(find_errors([*lines, *proxy])) == 1
    assert len(find_errors(proxy)) == 1


def test_failed_requests_are_of_one_kind_by_endpoint_and_status() -> None:
    lines = wrote(
        '10.0.0.1 - - [x] "GET /a/1?x=1 HTTP/1.1" 500 157',
        '10.0.0.2 - - [x] "GET /a/2 HTTP/1.1" 500 9',
        '10.0.0.2 - - [x] "GET /b HTTP/1.1" 500 9',
    )
    assert [(kind.fingerprint, kind.count) for kind in by_kind(find_errors(lines))] == [("GET /a/{id} 500", 2), ("GET /b 500", 1)]


def test_what_explains_a_message_of_postgresql_is_no_error_of_its_own() -> None:
    lines = wrote('ERROR:  relation "users" does not exist at character 15', "STATEMENT:  SELECT error FROM users")
    assert len(find_errors(lines)) == 1


def test_streams_of_several_containers_do_not_mix() -> None:
    one = wrote("ERROR: it broke", *TRACEBACK, "KeyError: 'a'")
    other = wrote("ERROR: elsewhere", "INFO fine", container="shop-worker")
    mixed = sorted([*one, *other], key=lambda line: line.at)
    assert {error.line.container for error in find_errors(mixed)} == {"shop-backend", "shop-worker"}
    assert len(find_errors(mixed)) == 2


def test_kinds_are_counted_with_first_and_last_time() -> None:
    lines = [
        *wrote("2026-11-22 10:00:00,100 ERROR [api] order 17 is gone"),
        *wrote("2026-11-22 10:00:09,100 ERROR [api] order 18 is gone", at=AT + 9, container="shop-worker"),
        *wrote("ERROR [api] no disk", at=AT + 5),
    ]
    first, second = by_kind(find_errors(lines))
    assert (first.count, first.first_at, first.last_at) == (2, AT, AT + 9)
    assert first.example == "ERROR [api] order 18 is gone"
    assert first.containers == ("shop-backend", "shop-worker")
    assert second.count == 1


def test_errors_rise_when_the_second_half_has_more_than_twice_as_many() -> None:
    def errors(*seconds: float) -> list[LogLine]:
        return [line for second in seconds for line in wrote("ERROR: x", at=AT + second)]

    assert is_rising(find_errors(errors(1, 60, 61, 62, 63, 64)), AT, AT + 100)
    assert not is_rising(find_errors(errors(1, 2, 3, 60, 61, 62, 63, 64)), AT, AT + 100)
    assert not is_rising(find_errors(errors(60, 61)), AT, AT + 100)
