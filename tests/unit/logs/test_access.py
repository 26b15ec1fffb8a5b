"""Requests are read out of the shapes in which services log them."""

import time

import pytest

from console.logs.access import Request, busiest_minute, limit_class, read_request, requests, route, told
from console.sources.protocols.engine import LogLine, Stream

AT = 1_795_000_000.0


def line(text: str, at: float = AT) -> LogLine:
    return LogLine("shop-backend", Stream.STDOUT, at, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "2026-11-22 10:00:00,123 INFO [backend.api] GET /api/v1/grades 200 12ms request_id=9f1c22ab0d3e",
            Request(AT, "GET", "/api/v1/grades", 200, 0.012, correlation="9f1c22ab0d3e"),
        ),
        (
            "ERROR [app] POST /api/v1/commands?x=1 429 0.5s client=10.0.0.7:5123 user=ann role=engineer correlation_id=c-1",
            Request(AT, "POST", "/api/v1/commands", 429, 0.5, "10.0.0.7", "ann", "engineer", "c-1"),
        ),
        (
            '172.18.0.1 - ann [22/Nov/2026:10:00:00 +0000] "GET /a/b?c=d HTTP/1.1" 502 157 "-" "curl/8" rt=0.031',
            Request(AT, "GET", "/a/b", 502, 0.031, "172.18.0.1", "ann"),
        ),
        (
            '172.18.0.1 - - [22/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "curl"',
            Request(AT, "GET", "/", 200, None, "172.18.0.1"),
        ),
        (
            'INFO:     172.18.0.1:53412 - "GET /health HTTP/1.1" 200 OK',
            Request(AT, "GET", "/health", 200, None, "172.18.0.1"),
        ),
        (
            'INFO:     [2001:db8::7]:53412 - "GET /health HTTP/1.1" 200 OK',
            Request(AT, "GET", "/health", 200, None, "2001:db8::7"),
        ),
        (
            'level=info method=GET path="/api/v1/customers" status=200 duration_ms=1250 ip=10.1.2.3 user_id=7',
            Request(AT, "GET", "/api/v1/customers", 200, 1.25, "10.1.2.3", "7"),
        ),
        (
            '{"message":"done","request":{"method":"GET","path":"/x"},"status":200,"duration":"35ms","correlation_id":"c2"}',
            Request(AT, "GET", "/x", 200, 0.035, correlation="c2"),
        ),
        (
            '{"time":"t","message":"GET /x 503 8ms","x-correlation-id":"c3","user":"bob","role":"admin"}',
            Request(AT, "GET", "/x", 503, 0.008, "", "bob", "admin", "c3"),
        ),
    ],
)
def test_every_shape_of_an_access_line_is_read(text: str, expected: Request) -> None:
    assert read_request(line(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-22 10:00:00 INFO [backend.main] Listening on port 8000",
        "Database connection error while answering GET /api/v1/grades",
        'ERROR:  relation "users" does not exist at character 15',
        "{ not json }",
        '{"method": "GET"}',
        '{"method": "GET", "path": "/x", "status": "soon"}',
        "status=200",
        "GET /x 999 ok",
        "{" * 3000 + '":' + "}" * 3000,
    ],
)
def test_other_lines_are_no_requests(text: str) -> None:
    assert read_request(line(text)) is None


def test_a_bare_number_is_no_duration_where_its_unit_could_be_anything() -> None:
    request = read_request(line("method=GET path=/x status=200 duration=12"))
    assert request is not None
    assert request.duration_s is None


def test_only_lines_of_requests_become_requests() -> None:
    found = requests([line("starting"), line("GET /a 200 5ms"), line("done"), line("POST /b 201 9ms")])
    assert [request.endpoint for request in found] == ["GET /a", "POST /b"]


def test_what_names_one_thing_is_no_part_of_the_endpoint() -> None:
    assert route("/api/v1/students/12/grades") == "/api/v1/students/{id}/grades"
    assert route("/vehicles/3f2504e0-4f89-11d3-9a0c-0305e82c3301") == "/vehicles/{id}"
    assert route("/blobs/9f1c22ab0d3e") == "/blobs/{id}"
    assert route("/api/v1/dashboards") == "/api/v1/dashboards"


def test_a_line_about_a_rate_limit_names_user_role_and_endpoint() -> None:
    said = told(line("INFO: User john_doe (role=engineer) hit rate limit on /api/v1/commands correlation_id=abc123"))
    assert (said.user, said.role, said.path, said.correlation) == ("john_doe", "engineer", "/api/v1/commands", "abc123")
    assert said.status is None


def test_a_line_with_the_status_as_a_field_tells_it() -> None:
    assert told(line("request failed status_code=503 request_id=abc")).status == 503


def test_the_class_of_a_limit_is_the_part_of_the_path_that_is_named_like_it() -> None:
    classes = ("auth", "commands", "api")
    assert limit_class("/api/v1/auth/login", classes) == "auth"
    assert limit_class("/api/v1/commands/7", classes) == "commands"
    assert limit_class("/api/v1/command", classes) == "commands"
    assert limit_class("/api/v1/vehicles", classes) == "api"
    assert limit_class("/x", ("auth",)) == ""


def test_the_busiest_minute_is_of_one_asker_and_slides() -> None:
    def asked(user: str, *seconds: float) -> list[Request]:
        return [Request(AT + second, "GET", "/x", 200, user=user) for second in seconds]

    assert busiest_minute([*asked("ann", 0, 30, 59, 61, 130), *asked("bob", 0, 1)]) == 3
    assert busiest_minute([*asked("ann", 0, 60)]) == 1
    assert busiest_minute([]) == 0


def test_how_often_one_asker_asks_is_not_known_when_no_line_tells_who() -> None:
    assert busiest_minute([Request(AT, "GET", "/x", 200)]) is None
    assert busiest_minute([Request(AT, "GET", "/x", 200), Request(AT, "GET", "/x", 200, client="10.0.0.1")]) == 1


def test_a_hostile_line_costs_no_time() -> None:
    hostile = [
        "GET /" + "a" * 4000,
        '"' * 4000,
        "a=" * 2000,
        ("1" * 50 + " - ") * 80 + '"GET / HTTP/1.1" 200',
        "User " * 800,
    ]
    started = time.perf_counter()
    for text in hostile:
        told(line(text))
    assert time.perf_counter() - started < 0.5
