import time

import pytest

from console.logs.classify import Classifier, Level, fingerprint, level_of
from console.sources.protocols.engine import LogLine, Stream


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("2026-11-22 10:00:00,123 - backend.db - ERROR - could not connect to server", Level.ERROR),
        ("2026-11-22 10:00:00,123 INFO  backend.main started", Level.INFO),
        ('INFO:     172.18.0.5:51234 - "GET /health HTTP/1.1" 200 OK', Level.INFO),
        ("2026-11-22 10:00:00.000 UTC [1] FATAL:  sorry, too many clients already", Level.FATAL),
        ("2026-11-22 10:00:00.000 UTC [1] LOG:  database system is ready to accept connections", Level.INFO),
        ("2026-11-22 10:00:00.000 UTC [72] DEBUG1:  autovacuum", Level.DEBUG),
        ("1:M 22 Nov 2026 10:00:00.000 # Can't save in background: fork: Cannot allocate memory", Level.WARNING),
        ("1:M 22 Nov 2026 10:00:00.000 * Background saving started by pid 21", Level.INFO),
        ('{"time":"2026-11-22T10:00:00Z","level":"error","msg":"info about the pool"}', Level.ERROR),
        ('{"level":50,"msg":"x"}', Level.ERROR),
        ('time=2026-11-22T10:00:00Z level=warn msg="error rate"', Level.WARNING),
        ("2026/11/22 10:00:00 [error] 31#31: *1 connect() failed (111: Connection refused)", Level.ERROR),
        ('172.18.0.1 - - [22/Nov/2026:10:00:00 +0000] "GET /api/grades HTTP/1.1" 502 157', Level.ERROR),
        ('172.18.0.1 - - [22/Nov/2026:10:00:00 +0000] "GET /api/grades HTTP/1.1" 404 157', Level.INFO),
        ("error: no such table", Level.ERROR),
        ("the error count is fine", Level.UNKNOWN),
        ("ERROR and INFO in one line", Level.UNKNOWN),
        ("terror in the log", Level.UNKNOWN),
        ("Listening on port 8000", Level.UNKNOWN),
        ("", Level.UNKNOWN),
        ("x" * 200 + " ERROR: too far behind to count", Level.UNKNOWN),
    ],
)
def test_a_line_states_its_level(text: str, level: Level) -> None:
    assert level_of(text) is level


def test_a_traceback_is_an_error_until_the_exception_that_ends_it() -> None:
    classifier = Classifier()
    lines = [
        ("INFO: start", Level.INFO),
        ("Traceback (most recent call last):", Level.ERROR),
        ('  File "/app/main.py", line 3, in <module>', Level.ERROR),
        ("    import missing", Level.ERROR),
        ("ModuleNotFoundError: No module named 'missing'", Level.ERROR),
        ("Listening again", Level.UNKNOWN),
    ]
    assert [classifier.level(_line(text)) for text, _ in lines] == [level for _, level in lines]


def test_detail_lines_have_the_level_of_what_they_explain() -> None:
    classifier = Classifier()
    classifier.level(_line("2026-11-22 10:00:00 UTC [9] ERROR:  duplicate key value"))
    assert classifier.level(_line("2026-11-22 10:00:00 UTC [9] DETAIL:  Key (id)=(1) already exists.")) is Level.ERROR


def test_two_containers_do_not_lend_each_other_their_level() -> None:
    classifier = Classifier()
    classifier.level(_line("ERROR: a", container="one"))
    assert classifier.level(_line("   goes on", container="two")) is Level.UNKNOWN


@pytest.mark.parametrize(
    "pair",
    [
        ("2026-11-22 10:00:00,1 ERROR order 4711 failed", "2026-11-22 10:00:07,9 ERROR order 12 failed"),
        ("lost 6f1c1e0a-5d3b-4a63-9b1e-0123456789ab", "lost 00000000-5d3b-4a63-9b1e-0123456789ab"),
        ("at 0x7f001a in 3f9ac1d2ee01", "at 0x10 in 00ffac1d2ee019"),
        ('relation "users" does not exist', 'relation "grades" does not exist'),
        ("waited 0.31 s for 10.0.0.7:5432", "waited 12 s for 10.0.0.9:5433"),
    ],
)
def test_like_errors_have_one_fingerprint(pair: tuple[str, str]) -> None:
    assert fingerprint(pair[0]) == fingerprint(pair[1])


def test_an_apostrophe_does_not_begin_a_quotation() -> None:
    assert fingerprint("can't open it, isn't there") == "can't open it, isn't there"


@pytest.mark.parametrize("text", ["a" * 4096, "[" * 4096, "0" * 4096, "'" * 4096, "a.b" * 1300, " " * 4096, '{"level":' * 500])
def test_no_line_takes_long(text: str) -> None:
    started = time.perf_counter()
    for _ in range(20):
        Classifier().level(_line(text))
        fingerprint(text)
    assert time.perf_counter() - started < 0.5


def _line(text: str, container: str = "backend") -> LogLine:
    return LogLine(container, Stream.STDERR, 1.0, text)
