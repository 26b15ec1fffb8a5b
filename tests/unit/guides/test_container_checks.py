"""What the checks of containers find: use, changes, processes, mounts, ports and ways between them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from guide_stack import MIB, NAMES, NOW, FakeEngine, Stack, checked, clock

from console.guides.checks import find_check, run_check
from console.guides.checks.containers import start_error
from console.guides.checks.containers_changes import mount_of
from console.guides.checks.containers_network import Listener, connecting, parse_listeners, resolving
from console.guides.issue import CheckCall
from console.guides.readings import Readings
from console.reading import FailureKind, SourceError
from console.sources.protocols.engine import (
    ContainerProcess,
    Containers,
    Details,
    ExecResult,
    Health,
    Link,
    Mount,
    State,
    Usage,
)

TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0000 100 0 0 10 0
   1: 0100007F:2328 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0000 100 0 0 10 0
   2: 040012AC:C350 030012AC:1538 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0000 100 0 0 10 0
"""
TCP6 = """  sl  local_address                         remote_address                        st tx_queue rx_queue
   0: 00000000000000000000000001000000:2329 00000000000000000000000000000000:0000 0A 00000000:00000000
   1: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000
"""


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        ("redis.exceptions.ConnectionError: Error 111 connecting to redis:6379. Connection refused.", "refused"),
        ("redis.exceptions.ConnectionError: Error -2 connecting to cache:6379. Name or service not known.", "unresolved"),
        ("redis.exceptions.AuthenticationError: WRONGPASS invalid username-password pair or user is disabled.", "login"),
        ("redis.exceptions.AuthenticationError: NOAUTH Authentication required.", "login"),
    ],
)
async def test_the_way_from_the_backend_to_redis_is_tried_too(printed: str, reason: str) -> None:
    stack = Stack()
    stack.engine.probe = ExecResult(1, b"", f"Traceback (most recent call last):\n{printed}\n".encode())
    check = find_check("probe.from_backend")
    assert check is not None
    call = CheckCall(check.name, check.parameters.model_validate({"to": "cache"}))
    readings = Readings(stack.system, wall=clock)
    outcome = await run_check(call, readings)
    readings.close()
    assert (outcome.facts["reachable"], outcome.facts["reason"]) == (False, reason)
    assert outcome.headline.startswith("The backend does not reach Redis: ")
    assert "backend.cache" in check.command(stack.config, call.parameters)


@dataclass
class RichEngine(FakeEngine):
    """The engine of a small stack that also tells use, details and processes."""

    used: dict[str, Usage] = field(default_factory=dict)
    placed: dict[str, Details] = field(default_factory=dict)
    top: tuple[ContainerProcess, ...] = ()
    run: Callable[[Sequence[str]], ExecResult] = field(default=lambda argv: ExecResult(0, b"", b""))

    async def containers(self) -> Containers:
        found = await super().containers()
        return Containers(found.items, {f"id-{role}": usage for role, usage in self.used.items()})

    async def usage(self, name: str) -> Usage:
        raise SourceError(FailureKind.TIMEOUT, f"{name} gives no sample.")

    async def details(self, name: str) -> Details:
        self.ask(f"details {name}")
        return self.placed[name]

    async def processes(self, name: str) -> tuple[ContainerProcess, ...]:
        self.ask(f"top {name}")
        return self.top

    async def execute(self, name: str, argv: Sequence[str], *, timeout_s: float) -> ExecResult:
        self.ask(f"exec {name} {argv[0]}")
        return self.run(argv)


def stack() -> tuple[Stack, RichEngine]:
    engine = RichEngine()
    return Stack(engine=engine), engine


def used(cpu: float | None, memory_percent: float) -> Usage:
    return Usage(NOW, cpu, int(memory_percent * MIB), 100 * MIB)


def place(*links: Link, mounts: tuple[Mount, ...] = ()) -> Details:
    return Details({}, mounts, links, ())


async def test_the_state_of_a_container_tells_its_age_health_and_why_it_did_not_start() -> None:
    made, engine = stack()
    engine.change("backend", health=Health.UNHEALTHY, created_at=NOW - 120)
    outcome = await checked(made, "containers.state", role="backend")
    assert (outcome.facts["health_failing"], outcome.facts["created_age_s"], outcome.facts["start_error"]) == (True, 120.0, "")
    engine.change(
        "backend", state=State.CREATED, error="driver failed programming external connectivity: port is already allocated"
    )
    assert (await checked(made, "containers.state", role="backend")).facts["start_error"] == "port"


@pytest.mark.parametrize(
    ("error", "why"),
    [
        ("", ""),
        ("listen tcp4 0.0.0.0:8000: bind: address already in use", "port"),
        ("error while creating mount source path '/srv/data': mkdir /srv/data: permission denied", "permission"),
        ('OCI runtime create failed: exec: "start.sh": executable file not found in $PATH', "image"),
        ("exec /entrypoint.sh: no such file or directory", "image"),
        ("network 5d1c0f2e not found", "network"),
        ("something nobody has seen", "other"),
    ],
)
def test_the_engines_complaint_is_told_by_kind(error: str, why: str) -> None:
    _made, engine = stack()
    engine.change("backend", error=error)
    assert start_error(engine.items[NAMES["backend"]]) == why


async def test_the_hottest_and_the_fullest_container_are_named() -> None:
    made, engine = stack()
    engine.used = {"database": used(12.0, 40.0), "cache": used(1.0, 93.0), "backend": used(97.0, 60.0), "proxy": used(0.1, 3.0)}
    outcome = await checked(made, "containers.usage")
    assert outcome.facts == {
        "cpu_percent": 97.0,
        "memory_percent": 93.0,
        "hottest": "sms-backend",
        "fullest": "sms-redis",
        "limited": True,
    }


async def test_a_container_without_a_sample_is_told_as_not_read() -> None:
    made, engine = stack()
    engine.used = {"backend": used(5.0, 50.0)}
    outcome = await checked(made, "containers.usage", roles=("backend", "cache"))
    assert outcome.facts["hottest"] == "sms-backend"
    assert "gives no sample" in outcome.unread[0].message
    engine.used = {}
    assert (await checked(made, "containers.usage")).facts["cpu_percent"] is None


async def test_a_container_made_a_short_while_ago_is_a_recent_change() -> None:
    made, engine = stack()
    for role in NAMES:
        engine.change(role, created_at=NOW - 90_000)
    engine.change("backend", created_at=NOW - 600, image="sha256:9f1c22ab0d3e")
    outcome = await checked(made, "containers.changes")
    assert outcome.facts == {
        "recent": True,
        "newest": "sms-backend",
        "newest_age_s": 600.0,
        "apart": True,
        "image_changed": True,
    }
    within = await checked(made, "containers.changes", within="5m")
    assert within.facts["recent"] is False


async def test_the_busiest_process_is_named() -> None:
    made, engine = stack()
    engine.top = (ContainerProcess(9, 97.5, 2 * MIB, "python worker.py"), ContainerProcess(7, 0.1, MIB, "sh"))
    outcome = await checked(made, "containers.processes", role="backend")
    assert outcome.facts == {"count": 2, "top_cpu_percent": 97.5, "top_command": "python worker.py", "top_pid": 9}


def test_sockets_that_listen_are_read_from_the_kernels_list() -> None:
    assert parse_listeners(TCP + TCP6) == (
        Listener(8000, "0.0.0.0", True),
        Listener(9000, "127.0.0.1", False),
        Listener(9001, "::1", False),
        Listener(80, "::", True),
    )
    assert parse_listeners("nonsense\n  0: zz:yy 0 0A") == ()


@pytest.mark.parametrize(
    ("port", "listening", "everywhere", "published"),
    [(8000, True, True, True), (9000, True, False, False), (8001, False, False, False)],
)
async def test_where_a_container_listens_is_told(port: int, listening: bool, everywhere: bool, published: bool) -> None:
    made, engine = stack()
    engine.run = lambda _argv: ExecResult(1, TCP.encode(), b"cat: /proc/net/tcp6: No such file or directory")
    outcome = await checked(made, "containers.listening", role="backend", port=port)
    facts = outcome.facts
    assert (facts["listening"], facts["everywhere"], facts["published"]) == (listening, everywhere, published)
    assert facts["host_port"] == (8000 if published else None)


async def test_a_container_without_cat_leaves_it_unknown() -> None:
    made, engine = stack()
    engine.run = lambda _argv: ExecResult(127, b"", b"not found")
    outcome = await checked(made, "containers.listening", role="backend", port=8000)
    assert outcome.facts["listening"] is None
    assert outcome.failure is not None


async def test_nothing_is_asked_inside_a_container_that_does_not_run() -> None:
    made, engine = stack()
    engine.change("backend", state=State.EXITED)
    for name, parameters in (
        ("listening", {"role": "backend", "port": 80}),
        ("reach", {"from": "backend", "to": "cache", "port": 1}),
    ):
        outcome = await checked(made, f"containers.{name}", **parameters)
        assert set(outcome.facts.values()) == {None}
        assert not [asked for asked in engine.asked if asked.startswith("exec")]


def test_a_path_lies_on_the_deepest_mount_above_it() -> None:
    data = Mount("volume", "data", "/data", True)
    inner = Mount("bind", "/srv/x", "/data/in", False)
    assert mount_of((data, inner), "/data/in/file") == inner
    assert mount_of((data, inner), "/data/inner") == data
    assert mount_of((data, inner), "/dat") is None


async def test_what_is_mounted_at_a_path_is_told() -> None:
    made, engine = stack()
    engine.placed = {"sms-redis": place(mounts=(Mount("volume", "cache", "/data", True),))}
    assert (await checked(made, "containers.mounts", role="cache", path="/data")).facts == {
        "mounted": True,
        "writable": True,
        "kind": "volume",
    }
    away = await checked(made, "containers.mounts", role="cache", path="/var")
    assert (away.facts["mounted"], away.facts["writable"], away.facts["kind"]) == (False, None, "")


async def test_a_container_reaches_another_by_its_name_in_their_network() -> None:
    made, engine = stack()
    engine.placed = {
        "sms-backend": place(Link("sms", "172.18.0.5", ("sms-backend",))),
        "sms-redis": place(Link("other", "172.19.0.2", ("redis-b",)), Link("sms", "172.18.0.2", ("redis",))),
    }
    ran: list[Sequence[str]] = []

    def run(argv: Sequence[str]) -> ExecResult:
        ran.append(argv)
        return ExecResult(0, b"172.18.0.2 redis\n", b"")

    engine.run = run
    outcome = await checked(made, "containers.reach", **{"from": "backend", "to": "cache", "port": 6379})
    assert outcome.facts == {"same_network": True, "resolves": True, "connects": True}
    assert set(ran) == {resolving("redis"), connecting("redis", 6379)}


@pytest.mark.parametrize(
    ("codes", "facts"),
    [
        ((2, 1), {"same_network": False, "resolves": False, "connects": False}),
        ((0, 124), {"same_network": False, "resolves": True, "connects": False}),
        ((127, 125), {"same_network": False, "resolves": None, "connects": None}),
    ],
)
async def test_why_a_container_does_not_reach_another_is_told_apart(
    codes: tuple[int, int], facts: dict[str, bool | None]
) -> None:
    made, engine = stack()
    engine.placed = {"sms-backend": place(Link("a", "", ())), "sms-redis": place(Link("b", "", ()))}
    engine.run = lambda argv: ExecResult(codes[0] if argv[0] == "timeout" else codes[1], b"", b"")
    outcome = await checked(made, "containers.reach", **{"from": "backend", "to": "cache", "port": 6379})
    assert outcome.facts == facts
    assert len(outcome.unread) == sum(value is None for value in facts.values())
