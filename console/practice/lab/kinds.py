"""Other ways in which a cause comes about: faults that are no cause by name, each showing a cause that the guides have."""

import json
from collections.abc import Callable, Mapping
from typing import Final

from console.practice.lab import redis_faults
from console.practice.lab.fault import LabFault, Notes
from console.practice.lab.pieces import CLIENTS, DEADLINE_S, Bites, statements
from console.practice.lab.spec import Service
from console.practice.lab.target import Target

LOST: Final = "192.0.2.44"
"""An address of a documentation network (RFC 5737): packets to it are lost."""
DELAY_S: Final = 3
"""Of each answer: a login at the database takes several, and the backend waits four seconds for it."""
PAUSE_MS: Final = 900
"""Shorter than the second that the backend waits for Redis: it is slow, not away."""
SLOW_REDIS: Final = "slow-storage"
MARK: Final = "# moved to the new network"
POISONED: Final = range(1, 21)
POISON: Final = json.dumps(
    [{"code": "HIST-204", "assessment_name": "Assessment 1", "score": "12.00", "grade_date": "2023-11-20"}]
)
"""Somebody else's grades, and old ones."""
PROBE: Final = ("python", "-c", "from backend.db import engine; engine.connect()")


def killed(identity: str, title: str, shows: str, service: Service) -> LabFault:
    """A container that was killed: nothing is said in its log, and the engine does not start it again."""
    return LabFault(
        identity,
        title,
        inject=lambda target, _: target.shoot(service),
        bites=lambda target, _: not target.running(service),
        undo=lambda target, _: target.start(service),
        shows=shows,
    )


def paused(identity: str, title: str, shows: str, service: Service) -> LabFault:
    """A container whose processes all stand still."""
    return LabFault(
        identity,
        title,
        inject=lambda target, _: target.pause(service),
        bites=lambda target, _: bool(target.inspect(service)["State"]["Paused"]),
        undo=lambda target, _: target.start(service),
        shows=shows,
    )


def rerouted(identity: str, title: str, shows: str, service: Service, address: Callable[[Target], str], bites: Bites) -> LabFault:
    """Another address for a service, in the backend's container alone; the service itself is well."""

    def inject(target: Target, _notes: Notes) -> None:
        line = f"{address(target)} {target.name(service)} {MARK}"
        target.run(Service.BACKEND, "sh", "-c", f"echo '{line}' >> /etc/hosts")
        target.drop_backend_sessions()

    def undo(target: Target, _notes: Notes) -> None:
        if target.alive(Service.BACKEND):  # Docker writes the file anew whenever a container starts, and keeps it mounted.
            script = f"grep -v '{MARK}' /etc/hosts > /tmp/hosts; cat /tmp/hosts > /etc/hosts; rm /tmp/hosts"
            target.run(Service.BACKEND, "sh", "-c", script)

    return LabFault(identity, title, inject, bites, undo, shows=shows)


def delayed(identity: str, title: str, shows: str, service: Service, port: int, bites: Bites) -> LabFault:
    """Every answer of a service comes late at the backend: a relay stands between the two, and ends by itself."""
    route = rerouted(identity, title, shows, service, lambda target: target.address(Service.LOAD), bites)
    relay = f"{CLIENTS} relay {port} "

    def inject(target: Target, notes: Notes) -> None:
        words = ("relay", str(port), target.name(service), str(port), str(DELAY_S))
        target.leave_running(Service.LOAD, "timeout", str(DEADLINE_S), "python", CLIENTS, *words)
        route.inject(target, notes)

    def undo(target: Target, notes: Notes) -> None:
        route.undo(target, notes)
        target.kill(Service.LOAD, relay)

    return LabFault(identity, title, inject, bites, undo, shows=shows)


def slow_redis(identity: str, title: str, shows: str) -> LabFault:
    """Redis stands still for most of every second, for everybody."""

    def inject(target: Target, _notes: Notes) -> None:
        loop = f"while redis-cli client pause {PAUSE_MS} > /dev/null; do :; done"
        target.leave_running(Service.CACHE, "timeout", str(DEADLINE_S), "sh", "-c", loop, SLOW_REDIS)

    def bites(target: Target, _notes: Notes) -> bool:
        return (
            int(
                target.must(
                    Service.CACHE, "sh", "-c", "s=$(date +%s%3N); redis-cli ping > /dev/null; echo $(($(date +%s%3N) - s))"
                )
            )
            > 300
        )

    def undo(target: Target, _notes: Notes) -> None:
        target.start(Service.CACHE)
        target.kill(Service.CACHE, f" {SLOW_REDIS}$")
        target.run(Service.CACHE, "redis-cli", "client", "unpause")

    return LabFault(identity, title, inject, bites, undo, shows=shows)


def _poison(target: Target, notes: Notes) -> None:
    keys = json.loads(notes["pages"])
    put = "for _, key in ipairs(KEYS) do redis.call('set', key, ARGV[1], 'ex', ARGV[2]) end return 1"
    redis_faults.cli(target, "eval", put, str(len(keys)), *keys, POISON, str(DEADLINE_S))


def _cleanse(target: Target, notes: Notes) -> None:
    """Away with what is still poisoned; what was cleared, or is right again, stays."""
    target.start(Service.CACHE)
    keys = json.loads(notes["pages"])
    clear = "for _, key in ipairs(KEYS) do if redis.call('get', key) == ARGV[1] then redis.call('del', key) end end return 1"
    redis_faults.cli(target, "eval", clear, str(len(keys)), *keys, POISON)


def _pages(_target: Target) -> Notes:
    return {"pages": json.dumps([f"grades:student:{student}" for student in POISONED])}


def _unreachable(target: Target, _notes: Notes) -> bool:
    return target.run(Service.BACKEND, *PROBE).exit_code != 0 and target.as_user("SELECT 1").exit_code == 0


_CUT_OFF = "sms.c1.backend-cannot-reach-database"

KINDS: Final[Mapping[str, tuple[LabFault, ...]]] = {
    "sms": (
        killed("sms.c1.killed", "The backend's container was killed", "sms.c1.container-down", Service.BACKEND),
        paused("sms.c2.paused", "PostgreSQL's container is paused", "sms.c2.database-down", Service.DATABASE),
        rerouted(
            "sms.c1.network-cut",
            "Packets from the backend to the database are lost",
            _CUT_OFF,
            Service.DATABASE,
            lambda _target: LOST,
            _unreachable,
        ),
        delayed(
            "sms.c1.network-delay",
            "The way from the database to the backend takes seconds, longer than a login may",
            _CUT_OFF,
            Service.DATABASE,
            5432,
            _unreachable,
        ),
        slow_redis("sms.m1.redis-slow", "Redis stands still for most of every second", "sms.m1.cache-ineffective"),
        LabFault(
            "sms.h2.poisoned-cache",
            "The cache shows students somebody else's grades",
            _poison,
            lambda target, notes: redis_faults.cli(target, "get", json.loads(notes["pages"])[-1]) == POISON,
            _cleanse,
            _pages,
            shows="sms.h2.stale-cache",
        ),
        statements(
            "sms.m2.privilege-revoked",
            "The service's login may not read grades any more",
            ["REVOKE SELECT ON grade FROM sms_user"],
            ["GRANT SELECT ON grade TO sms_user"],
            "SELECT NOT has_table_privilege('sms_user', 'grade', 'SELECT')",
            shows="sms.m2.one-endpoint",
        ),
    ),
    "planner": (killed("planner.d1.killed", "PostgreSQL's container was killed", "planner.d1.not-running", Service.DATABASE),),
    "dotmac": (),
    "sovd": (killed("sovd.s8.killed", "Redis's container was killed", "sovd.s8.not-running", Service.CACHE),),
}
"""By the template that has them; what shows the same cause as another is told apart by its id."""
