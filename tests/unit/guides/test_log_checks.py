"""What the checks of logs find in lines that containers and services wrote."""

from dataclasses import dataclass, field

import pytest
from guide_stack import NOW, FakeHost, Stack, checked, clock, timed_out

from console.config import SystemConfig
from console.guides.checks import find_check
from console.guides.checks.logs_match import compile_bounded
from console.guides.readings import Readings
from console.sources.protocols.engine import LogLine, Stream


def with_worker(stack: Stack) -> SystemConfig:
    """The system with a service on the machine beside its containers."""
    return stack.config.model_copy(update={"units": {"worker": "shop"}, "log_files": {"worker": "/var/log/shop/app.log"}})


@dataclass
class LogHost(FakeHost):
    """A machine on which a service writes a file."""

    written: tuple[LogLine, ...] = field(default=())

    async def log_tail(self, path: str, *, name: str, lines: int, since: float | None = None) -> tuple[LogLine, ...]:
        if self.failure is not None:
            raise self.failure
        assert (path, name) == ("/var/log/shop/app.log", "worker")
        return tuple(line for line in self.written if since is None or line.at >= since)[-lines:]


async def test_a_services_file_is_read_once_for_all_that_look_back_in_it() -> None:
    stack, asked = Stack(), list[str]()

    class OnceRead(LogHost):
        async def log_tail(self, path: str, *, name: str, lines: int, since: float | None = None) -> tuple[LogLine, ...]:
            asked.append(path)
            return await super().log_tail(path, name=name, lines=lines, since=since)

    stack.host = OnceRead(written=tuple(LogLine("worker", Stream.STDOUT, NOW - age_s, f"{age_s}") for age_s in (500, 200, 50)))
    stack.config = with_worker(stack)
    readings = Readings(stack.system, wall=clock)
    told = [[line.text for line in await readings.role_log("worker", 100, since)] for since in (NOW - 60, NOW - 300, None)]
    readings.close()
    assert told == [["50"], ["200", "50"], ["500", "200", "50"]]
    assert len(asked) == 1


async def test_lines_that_fit_a_pattern_are_counted_and_the_newest_is_the_one_to_go_to() -> None:
    stack = Stack()
    stack.engine.write("backend", "Authentication failed: Token has expired", at=NOW - 60)
    stack.engine.write("backend", "Authentication failed: Invalid token signature", at=NOW - 30)
    stack.engine.write("backend", "INFO fine", at=NOW - 10)
    patterns = {"expired": "token has expired", "signature": "Invalid token signature", "skew": "not yet valid"}
    outcome = await checked(stack, "logs.match", roles=("backend",), patterns=patterns)
    assert outcome.facts == {"expired": 1, "signature": 1, "skew": 0, "newest": "signature", "lines": 3}
    assert outcome.log_line is not None
    assert outcome.log_line.text == "Authentication failed: Invalid token signature"


async def test_lines_older_than_the_window_do_not_count() -> None:
    stack = Stack()
    stack.engine.write("backend", "boom", at=NOW - 700)
    outcome = await checked(stack, "logs.match", roles=("backend",), patterns={"boom": "boom"}, window="10m")
    assert outcome.facts["boom"] == 0
    assert outcome.facts["newest"] == ""


async def test_lines_from_before_the_start_do_not_count_when_only_the_present_run_is_meant() -> None:
    stack = Stack()
    stack.engine.change("backend", started_at=NOW - 100)
    stack.engine.write("backend", "boom", at=NOW - 200)
    with_all = await checked(stack, "logs.match", roles=("backend",), patterns={"boom": "boom"})
    of_this_run = await checked(stack, "logs.match", roles=("backend",), patterns={"boom": "boom"}, since_start=True)
    assert (with_all.facts["boom"], of_this_run.facts["boom"]) == (1, 0)


async def test_nothing_found_in_a_part_of_the_logs_is_unknown_and_something_found_is_known() -> None:
    stack = Stack()
    stack.config = with_worker(stack)
    stack.host = LogHost(failure=timed_out("the machine"))
    patterns = {"boom": "boom", "bang": "bang"}
    stack.engine.write("backend", "boom")
    outcome = await checked(stack, "logs.match", roles=("backend", "worker"), patterns=patterns)
    assert (outcome.facts["boom"], outcome.facts["bang"]) == (1, None)
    assert "did not answer" in outcome.unread[0].message


async def test_the_log_of_a_service_on_the_machine_is_read_from_its_file() -> None:
    stack = Stack()
    stack.config = with_worker(stack)
    stack.host = LogHost(written=(LogLine("worker", Stream.STDOUT, NOW - 5, "ERROR: no disk"),))
    outcome = await checked(stack, "logs.errors", roles=("worker",))
    assert outcome.facts["errors"] == 1
    assert "worker: ERROR: no disk" in outcome.evidence[0]
    check = find_check("logs.errors")
    assert check is not None
    command = check.command(stack.config, check.parameters.model_validate({"roles": ("worker",)}))
    assert command.startswith("tail -n 5000 /var/log/shop/app.log | grep")


async def test_a_container_that_was_never_made_wrote_nothing_unless_it_is_asked_for_by_name() -> None:
    stack = Stack()
    stack.engine.items.pop("sms-redis")
    stack.engine.write("backend", "ERROR: no disk")
    log_tail = stack.engine.log_tail

    async def known(name: str, *, lines: int, since: float | None = None) -> tuple[LogLine, ...]:
        await stack.engine.container(name)
        return await log_tail(name, lines=lines, since=since)

    stack.engine.log_tail = known
    whole = await checked(stack, "logs.errors")
    assert (whole.facts["errors"], whole.unread) == (1, ())
    named = await checked(stack, "logs.match", roles=("cache",), patterns={"boom": "boom"})
    assert named.facts["boom"] is None


async def test_a_role_without_a_log_is_a_matter_of_configuration() -> None:
    outcome = await checked(Stack(), "logs.errors", roles=("frontend",))
    assert outcome.facts["errors"] is None
    assert outcome.failure is not None
    assert "frontend" in outcome.failure.message


@pytest.mark.parametrize("pattern", ["(a+)+b", "x.*y", "a" * 201, "(", "", "a*", r"\\.+x", ".{3,}z"])
def test_a_pattern_that_is_slow_or_fits_everything_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"no usable pattern|without end|characters|fits every line"):
        compile_bounded(pattern)


@pytest.mark.parametrize("pattern", [r"relation .{1,80} does not exist", r"\.+", r"time[d]? ?out", r"[.*]x", r"\d+ errors?"])
def test_a_pattern_with_an_end_is_taken(pattern: str) -> None:
    assert compile_bounded(pattern)


@pytest.mark.parametrize("name", ["newest", "lines", "Upper", "two words", "9lives"])
def test_a_fact_of_a_pattern_has_a_name_of_its_own(name: str) -> None:
    check = find_check("logs.match")
    assert check is not None
    with pytest.raises(ValueError, match="no name for a fact"):
        check.parameters.model_validate({"patterns": {name: "x"}})


async def test_errors_are_counted_by_kind_and_a_trend_is_seen() -> None:
    stack = Stack()
    for second in range(300, 0, -30):
        stack.engine.write("backend", f"2026-11-22 10:00:00,000 ERROR [api] lock timeout on row {second}", at=NOW - second)
    stack.engine.write("database", "ERROR:  deadlock detected", at=NOW - 40)
    outcome = await checked(stack, "logs.errors")
    assert outcome.facts == {
        "errors": 11,
        "per_minute": pytest.approx(11 / 15, abs=0.01),
        "kinds": 2,
        "top_share_percent": pytest.approx(90.9, abs=0.1),
        "rising": True,
        "tracebacks": 0,
        "timeouts": 10,
    }
    assert "11 errors of 2 kinds" in outcome.headline


async def test_a_quiet_log_has_no_errors() -> None:
    outcome = await checked(Stack(), "logs.errors")
    assert outcome.facts["errors"] == 0
    assert outcome.facts["top_share_percent"] == 0.0
    assert outcome.facts["rising"] is False


async def test_a_request_is_followed_through_all_logs() -> None:
    stack = Stack()
    stack.engine.write("proxy", '10.0.0.9 - - [x] "POST /api/v1/commands HTTP/1.1" 429 5 "-" correlation_id=abc-123', at=NOW - 3)
    stack.engine.write("backend", "INFO: User ann (role=engineer) hit rate limit on /api/v1/commands [abc-123]", at=NOW - 4)
    outcome = await checked(stack, "logs.correlation", id="abc-123")
    assert outcome.facts == {
        "lines": 2,
        "containers": 2,
        "errors": 0,
        "status": 429,
        "user": "ann",
        "role": "engineer",
        "endpoint": "/api/v1/commands",
    }
    assert [line.split(": ", 1)[0].split(" ", 1)[1] for line in outcome.evidence] == ["sms-backend", "sms-frontend-proxy"]


async def test_an_id_that_no_log_holds_says_so() -> None:
    outcome = await checked(Stack(), "logs.correlation", id="abc-123")
    assert outcome.facts["lines"] == 0
    assert outcome.facts["status"] is None
    assert "holds abc-123" in outcome.headline


async def test_requests_are_counted_by_answer_client_and_class_of_limit() -> None:
    stack = Stack()
    stack.config = stack.config.model_copy(update={"rate_limits": {"commands": 10, "auth": 5}})
    for second in range(12):
        stack.engine.write("backend", f"POST /api/v1/commands/{second} 429 3ms client=10.0.0.9", at=NOW - 30 + second)
    stack.engine.write("backend", "GET /api/v1/vehicles 200 31s client=10.0.0.1", "GET /api/v1/vehicles 500 2s client=10.0.0.1")
    stack.engine.write("backend", "POST /api/v1/auth/login 401 70ms client=10.0.0.2")
    outcome = await checked(stack, "logs.access", role="backend")
    assert outcome.facts == {
        "requests": 15,
        "s5xx": 1,
        "s4xx": 13,
        "s429": 12,
        "s401": 1,
        "slow": 2,
        "over_30s": 1,
        "top": "POST /api/v1/commands/{id}",
        "top_client": "10.0.0.9",
        "top_client_percent": 80.0,
        "auth_per_min": 1,
        "commands_per_min": 12,
        "api_per_min": 2,
        "over_limit": True,
        "worst_percent": 120.0,
        "worst_class": "commands",
    }


async def test_a_log_without_a_known_request_tells_no_more_than_that() -> None:
    stack = Stack()
    stack.engine.write("backend", "something else")
    outcome = await checked(stack, "logs.access", role="backend")
    assert outcome.facts["requests"] == 0
    assert outcome.facts["s5xx"] is None
    assert "form that is known" in outcome.unread[0].message


async def test_what_the_logged_requests_do_not_tell_is_unknown() -> None:
    stack = Stack()
    stack.engine.write("backend", "GET /api/v1/grades 200")
    outcome = await checked(stack, "logs.access", role="backend")
    assert (outcome.facts["requests"], outcome.facts["slow"], outcome.facts["top_client"]) == (1, None, None)
    assert outcome.unread[0].message == "The logged requests do not tell: slow, top_client, api_per_min."
