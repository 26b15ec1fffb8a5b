"""The three critical issues on a stack made by hand: each cause is named, healthy is clear, what is cut off is unknown."""

from dataclasses import replace

import pytest
from guide_stack import NOW, PORTS, Make, Stack, clock, refused, session, timed_out

from console.guides.loader import load_issues
from console.guides.walk import Conclusion, Verdict, Walk
from console.sources.protocols.database import Accepts
from console.sources.protocols.engine import ExecResult, Health, State
from console.sources.protocols.host import PortOwner

ISSUES = {issue.id: issue for issue in load_issues(("sms",)) if issue.severity == "critical"}


async def walked(issue: str, stack: Stack) -> Conclusion:
    walk = Walk(ISSUES[issue], stack.system, clock=clock)
    try:
        conclusion = await walk.finish()
    finally:
        walk.close()
    assert conclusion is not None
    return conclusion


def stopped(role: str, exit_code: int = 0) -> Make:
    return lambda stack: stack.engine.change(role, state=State.EXITED, exit_code=exit_code, finished_at=NOW - 60)


def held_port(stack: Stack) -> None:
    stack.engine.change("proxy", state=State.CREATED, error="listen tcp4 0.0.0.0:8080: bind: address already in use", ports=())
    stack.host.owners.append(PortOwner(8080, 4711, "python3", "python3 -m http.server 8080", "deploy", NOW - 600))


def no_space(stack: Stack) -> None:
    stopped("database", 1)(stack)
    stack.engine.write("database", 'PANIC:  could not write to file "pg_wal/xlogtemp.42": No space left on device')


def unreachable(stack: Stack) -> None:
    stack.engine.probe = ExecResult(1, b"", b"OperationalError: could not connect to server: Connection refused\n")


def unhealthy(role: str) -> Make:
    return lambda stack: stack.engine.change(role, health=Health.UNHEALTHY)


def unhealthy_backend_without_database(stack: Stack) -> None:
    unhealthy("backend")(stack)
    unreachable(stack)


def full_volume(stack: Stack) -> None:
    stack.engine.free_percent = 4.0


def full_host(stack: Stack) -> None:
    stack.host.free_percent = 9.0


def engine_gone(stack: Stack) -> None:
    stack.engine.failure = refused("The engine")


def removed(role: str) -> Make:
    return lambda stack: stack.engine.items.pop({"proxy": "sms-frontend-proxy"}[role]) and None


def paused(role: str) -> Make:
    return lambda stack: stack.engine.change(role, state=State.PAUSED)


def refuses(reason: str) -> Make:
    def make(stack: Stack) -> None:
        stack.database.answer = Accepts(False, reason, f"PostgreSQL said {reason}.")

    return make


def unanswered(stack: Stack) -> None:
    stack.database.accepts_failure = timed_out("PostgreSQL")


def both(*makes: Make) -> Make:
    def make(stack: Stack) -> None:
        for item in makes:
            item(stack)

    return make


def many_sessions(stack: Stack) -> None:
    stack.database.sessions = [session(100 + number, "idle", 4000) for number in range(35)]


def full_server_without_emergency_login(stack: Stack) -> None:
    refuses("too_many_clients")(stack)
    stack.database.failure = refused("PostgreSQL")


def damaged(stack: Stack) -> None:
    stack.engine.write("database", "ERROR:  invalid page in block 7 of relation base/16384/16401")


def looping(exit_code: int = 1, **changes: object) -> Make:
    def make(stack: Stack) -> None:
        stack.engine.change(
            "backend",
            state=State.RESTARTING,
            health=Health.NONE,
            exit_code=exit_code,
            restart_count=6,
            started_at=NOW - 8,
            **changes,
        )

    return make


def logged(*lines: str) -> Make:
    return lambda stack: stack.engine.write("backend", *lines)


TRACEBACK = ("Traceback (most recent call last):", '  File "/app/main.py", line 3, in <module>')
CAUSES: dict[str, tuple[tuple[str, Make], ...]] = {
    "sms.c1.engine-down": (("nothing listens on its socket", engine_gone),),
    "sms.c1.port-conflict": (("somebody holds the proxy's port", held_port),),
    "sms.c1.container-down": (
        ("stopped", stopped("backend")),
        ("removed", removed("proxy")),
        ("paused", paused("cache")),
        ("looping", looping()),
        ("failed at the start", stopped("database", 1)),
    ),
    "sms.c1.container-unhealthy": (("unhealthy cache", unhealthy("cache")), ("unhealthy backend", unhealthy("backend"))),
    "sms.c1.backend-cannot-reach-database": (
        ("probe refused", unreachable),
        ("unhealthy because of it", unhealthy_backend_without_database),
    ),
    "sms.c1.disk-nearly-full": (("volume", full_volume), ("host", full_host), ("stopped for lack of space", no_space)),
    "sms.c2.database-down": (
        ("stopped", both(refuses("refused"), stopped("database"))),
        ("paused", both(refuses("timeout"), paused("database"))),
        ("paused, and the login never answered", both(unanswered, paused("database"))),
        ("starting for ever", both(refuses("starting"), unhealthy("database"))),
        ("neither we nor the backend get through", both(refuses("lost"), unreachable)),
    ),
    "sms.c2.pool-exhausted": (
        ("nearly full", many_sessions),
        ("full, seen over the emergency login", both(refuses("too_many_clients"), many_sessions)),
        ("full, without an emergency login", full_server_without_emergency_login),
    ),
    "sms.c2.disk-full": (("volume at 96 %", full_volume), ("stopped for lack of space", both(refuses("refused"), no_space))),
    "sms.c2.corrupted": (
        ("while it serves", damaged),
        ("and it does not start", both(refuses("refused"), stopped("database", 1), damaged)),
    ),
    "sms.c2.login-refused": (("password", refuses("login")), ("no such database", refuses("database_missing"))),
    "sms.c3.out-of-memory": (
        ("the engine says so", looping(137, oom_killed=True)),
        ("the log says so", both(looping(1, oom_killed=False), logged(*TRACEBACK, "MemoryError"))),
        (
            "and it ended for good",
            lambda stack: stack.engine.change("backend", state=State.EXITED, exit_code=137, oom_killed=True),
        ),
    ),
    "sms.c3.missing-dependency": (
        ("module", both(looping(oom_killed=False), logged(*TRACEBACK, "ModuleNotFoundError: No module named 'pyotp'"))),
    ),
    "sms.c3.migration-failed": (
        (
            "alembic",
            both(
                looping(oom_killed=False),
                logged(*TRACEBACK, "sqlalchemy.exc.ProgrammingError: column exists", "ERROR Alembic migration failed: 0004"),
            ),
        ),
    ),
    "sms.c3.unhandled-exception": (("traceback", both(looping(oom_killed=False), logged(*TRACEBACK, "KeyError: 'SMTP_HOST'"))),),
}
TABLE = [pytest.param(cause, make, id=f"{cause}: {how}") for cause, cases in CAUSES.items() for how, make in cases]


@pytest.mark.parametrize(("cause", "make"), TABLE)
async def test_a_cause_is_named(cause: str, make: Make) -> None:
    stack = Stack()
    make(stack)
    issue, _, leaf = cause.rpartition(".")

    conclusion = await walked(issue, stack)

    assert conclusion.cause is not None, conclusion.summary
    assert (conclusion.verdict, conclusion.cause.id) == (Verdict.CAUSE, leaf)


def test_the_table_reaches_every_cause() -> None:
    assert set(CAUSES) == {f"{issue.id}.{cause}" for issue in ISSUES.values() for cause in issue.causes}


@pytest.mark.parametrize("issue", sorted(ISSUES))
async def test_a_healthy_stack_is_clear(issue: str) -> None:
    assert (await walked(issue, Stack())).verdict is Verdict.CLEAR


@pytest.mark.parametrize("issue", sorted(ISSUES))
async def test_a_stack_that_is_cut_off_is_unknown_and_says_what_could_not_be_read(issue: str) -> None:
    stack = Stack()
    stack.cut()

    conclusion = await walked(issue, stack)

    assert conclusion.verdict is Verdict.UNKNOWN
    assert conclusion.unread
    assert "did not answer" in conclusion.summary


async def test_an_engine_that_we_may_not_ask_is_unknown_not_down() -> None:
    stack = Stack()
    stack.engine.failure = timed_out("The engine")

    assert (await walked("sms.c1", stack)).verdict is Verdict.UNKNOWN


async def test_an_unreadable_disk_keeps_an_outage_walk_from_being_clear() -> None:
    stack = Stack()
    stack.host.failure = timed_out("The disk")

    assert (await walked("sms.c1", stack)).verdict is Verdict.UNKNOWN


async def test_a_short_volume_is_told_although_the_machine_cannot_be_read() -> None:
    stack = Stack()
    stack.host.failure = timed_out("The disk")
    full_volume(stack)

    conclusion = await walked("sms.c1", stack)

    assert conclusion.cause is not None
    assert conclusion.cause.id == "disk-nearly-full"
    assert conclusion.unread


async def test_a_port_of_the_system_held_in_nobodys_way_is_no_conflict() -> None:
    stack = Stack()
    stack.engine.change("cache", ports=())
    stack.host.owners.append(PortOwner(6379, 99, "redis-server", "redis-server *:6379", "redis", NOW - 9000))

    assert (await walked("sms.c1", stack)).verdict is Verdict.CLEAR


async def test_a_held_port_that_the_stopped_container_does_not_need_is_no_conflict() -> None:
    stack = Stack()
    stopped("backend")(stack)
    stack.engine.change("cache", ports=())
    stack.host.owners.append(PortOwner(6379, 99, "redis-server", "redis-server *:6379", "redis", NOW - 9000))

    conclusion = await walked("sms.c1", stack)

    assert conclusion.cause is not None
    assert conclusion.cause.id == "container-down"


async def test_our_own_way_being_cut_does_not_blame_the_database() -> None:
    stack = Stack()
    refuses("refused")(stack)

    assert (await walked("sms.c2", stack)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("make", [refuses("timeout"), unanswered])
async def test_a_login_that_is_not_answered_by_a_running_container_blames_nobody(make: Make) -> None:
    stack = Stack()
    both(make, unhealthy("database"))(stack)

    assert (await walked("sms.c2", stack)).verdict is Verdict.UNKNOWN


async def test_the_outage_walk_goes_on_at_the_database_or_restarts_a_backend_that_holds_on_to_a_lost_way() -> None:
    stack = Stack()
    unreachable(stack)

    conclusion = await walked("sms.c1", stack)

    assert conclusion.continues == "sms.c2"
    assert [fix.id for fix in conclusion.fixes] == ["restart-backend"]


@pytest.mark.parametrize(
    ("issue", "make", "container", "text"),
    [
        ("sms.c1", no_space, "sms-postgres", "No space left on device"),
        ("sms.c2", both(refuses("refused"), no_space), "sms-postgres", "No space left on device"),
        ("sms.c2", damaged, "sms-postgres", "invalid page in block 7"),
        ("sms.c3", both(looping(oom_killed=False), logged(*TRACEBACK, "KeyError: 'SMTP_HOST'")), "sms-backend", "KeyError"),
    ],
)
async def test_a_step_that_read_a_log_tells_the_line_that_decided(issue: str, make: Make, container: str, text: str) -> None:
    stack = Stack()
    make(stack)
    walk = Walk(ISSUES[issue], stack.system, clock=clock)

    await walk.finish()

    line = walk.path[-1].log_line
    assert line is not None
    assert line in stack.engine.lines
    assert line.container == container
    assert text in line.text


async def test_a_log_that_names_no_reason_has_no_such_line() -> None:
    stack = Stack()
    walk = Walk(ISSUES["sms.c2"], stack.system, clock=clock)

    await walk.finish()

    assert [made.log_line for made in walk.path] == [None] * len(walk.path)


async def test_a_database_that_was_stopped_in_good_order_after_its_disk_was_full_is_just_down() -> None:
    stack = Stack()
    refuses("refused")(stack)
    no_space(stack)
    stack.engine.change("database", exit_code=0)

    conclusion = await walked("sms.c2", stack)

    assert conclusion.cause is not None
    assert conclusion.cause.id == "database-down"


async def test_the_outage_walk_does_not_blame_a_disk_for_a_container_that_was_stopped_in_good_order() -> None:
    stack = Stack()
    no_space(stack)
    stack.engine.change("database", exit_code=0)

    conclusion = await walked("sms.c1", stack)

    assert conclusion.cause is not None
    assert conclusion.cause.id == "container-down"


async def test_damage_in_an_old_log_line_is_not_told_of_a_server_that_serves() -> None:
    stack = Stack()
    stack.engine.write("database", "ERROR:  invalid page in block 7 of relation base/16384/16401", at=NOW - 3600)

    assert (await walked("sms.c2", stack)).verdict is Verdict.CLEAR


async def test_a_user_who_sends_the_words_of_damage_does_not_make_it() -> None:
    stack = Stack()
    stack.engine.write("database", "STATEMENT:  SELECT 'invalid page in block 7'")

    assert (await walked("sms.c2", stack)).verdict is Verdict.CLEAR


async def test_a_backend_that_a_person_stopped_has_not_crashed() -> None:
    stack = Stack()
    stopped("backend", 143)(stack)

    conclusion = await walked("sms.c3", stack)

    assert conclusion.verdict is Verdict.CLEAR
    assert "exit code 143" in conclusion.summary


async def test_a_container_whose_end_is_not_told_is_unknown() -> None:
    stack = Stack()
    stack.engine.change("backend", state=State.EXITED, exit_code=None)

    walk = Walk(ISSUES["sms.c3"], stack.system, clock=clock)
    await walk.step()

    assert walk.path[0].facts["crashed"] is None
    assert walk.current == "log"


async def test_an_old_exception_in_the_log_of_a_backend_that_runs_is_no_crash() -> None:
    stack = Stack()
    logged(*TRACEBACK, "KeyError: 'SMTP_HOST'")(stack)

    assert (await walked("sms.c3", stack)).verdict is Verdict.CLEAR


async def test_the_exception_of_an_earlier_run_does_not_name_the_cause_of_this_one() -> None:
    stack = Stack()
    looping(oom_killed=False)(stack)
    stack.engine.write("backend", *TRACEBACK, "ModuleNotFoundError: No module named 'pyotp'", at=NOW - 600)
    logged(*TRACEBACK, "KeyError: 'SMTP_HOST'")(stack)

    conclusion = await walked("sms.c3", stack)

    assert conclusion.cause is not None
    assert conclusion.cause.id == "unhandled-exception"


async def test_a_loop_is_seen_while_the_backend_happens_to_run() -> None:
    stack = Stack()
    stack.engine.change("backend", restart_count=4, started_at=NOW - 2, oom_killed=False, health=Health.STARTING)
    ended = replace(stack.engine.items["sms-backend"], state=State.RESTARTING, exit_code=137, oom_killed=True)

    async def container(name: str) -> object:
        return ended

    stack.engine.container = container  # type: ignore[method-assign,assignment]

    conclusion = await walked("sms.c3", stack)

    assert conclusion.cause is not None
    assert conclusion.cause.id == "out-of-memory"


async def test_a_crash_without_a_word_is_escalated() -> None:
    stack = Stack()
    looping(oom_killed=False)(stack)

    conclusion = await walked("sms.c3", stack)

    assert conclusion.verdict is Verdict.ESCALATE
    assert conclusion.summary.startswith("Call the developers")


async def test_readings_that_steps_share_are_asked_once() -> None:
    stack = Stack()

    await walked("sms.c1", stack)

    assert stack.engine.asked.count("containers") == 1


def test_the_ports_of_the_fakes_are_those_of_the_configuration() -> None:
    assert {PORTS["proxy"], PORTS["database"], PORTS["cache"]} == set(Stack().config.ports)
