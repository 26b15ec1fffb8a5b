import asyncio
import io
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from console import doctor
from console.config import SystemConfig
from console.config_sources import PrometheusConfig
from console.doctor import Finding, Status, examine, exit_code, run, text
from console.reading import FailureKind, SourceError
from console.sources.protocols.cache import CacheInfo, CachePrivileges
from console.sources.protocols.database import Accepts, DatabasePrivileges
from console.sources.protocols.endpoint import Answer
from console.sources.protocols.engine import Container, Containers, EngineInfo, State
from console.sources.protocols.host import Disk, Memory, PortOwner
from console.sources.protocols.metrics import Latency, Origin, Quality, Target
from console.system import System

REFUSED = SourceError(FailureKind.REFUSED, "The server refused the connection.", "Start it.")


class Told:
    """A source that gives prepared answers by method; an exception is raised, a missing method hangs."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers

    def names(self) -> tuple[str, ...]:
        return tuple(self._answers["names"])

    def __getattr__(self, method: str) -> Any:
        async def answer(*_: Any) -> Any:
            if method not in self._answers:
                await asyncio.Event().wait()
            given = self._answers[method]
            if isinstance(given, Exception):
                raise given
            return given

        return answer


CACHE_INFO = CacheInfo(
    version="7.0.15",
    server="redis",
    uptime_s=1,
    role="master",
    used_memory_bytes=1,
    max_memory_bytes=0,
    peak_memory_bytes=1,
    eviction_policy="noeviction",
    fragmentation_ratio=None,
    clients=1,
    max_clients=None,
    blocked_clients=0,
    rejected_connections=0,
    operations_per_s=0.0,
    hits_per_s=None,
    misses_per_s=None,
    hit_percent=None,
    evicted_per_s=None,
    expired_per_s=None,
)
LATENCY = Latency(Origin.PROMETHEUS, 60.0, Quality.GOOD, 0.1, 0.2, 0.3, targets=(Target("backend", "backend:8000", True),))
ANSWER = Answer("http://127.0.0.1:8080/health", 200, 0.01, {}, "ok")


def engine(*names: str) -> Told:
    containers = Containers(tuple(Container(name, name, "image", State.RUNNING) for name in names))
    return Told(info=EngineInfo("20.10.24", "1.41", "Debian"), containers=containers)


def database(*, monitor: bool = True, signal: bool = True, accepts: Accepts | None = None) -> Told:
    return Told(
        accepts=accepts or Accepts(True, server_version="15.18"),
        privileges=DatabasePrivileges("sms_user", superuser=False, sees_all_sessions=monitor, may_signal=signal),
    )


def cache(missing: Sequence[str] = ()) -> Told:
    return Told(info=CACHE_INFO, ping=0.0004, privileges=CachePrivileges("triage", tuple(missing)))


def host(*owners: PortOwner) -> Told:
    return Told(memory=Memory(2**34, 2**33, 0, 0), disk=Disk("/", 100, 80), port_owners=owners)


def system(**sources: Any) -> System:
    config = SystemConfig(
        title="Sms",
        environment="lab",  # type: ignore[arg-type]
        roles={"backend": "sms-backend"},
        ports=(5432,),
        prometheus=PrometheusConfig(),
    )
    healthy: dict[str, Any] = {
        "engine": engine("sms-backend"),
        "database": database(),
        "cache": cache(),
        "metrics": Told(version="2.42.0", latency=LATENCY),
        "endpoints": Told(names=["health"], get=ANSWER),
        "host": host(PortOwner(5432, 7, "postgres", "postgres")),
    }
    return System(config=config, **{**healthy, **sources})


async def finding(source: str, **sources: Any) -> Finding:
    return next(item for item in await examine(system(**sources)) if item.source == source)


async def test_a_system_in_order_is_all_ok() -> None:
    findings = await examine(system())
    assert [item.source for item in findings] == [
        "Container engine",
        "PostgreSQL",
        "Redis",
        "Prometheus",
        "Endpoint health",
        "This machine",
    ]
    assert {item.status for item in findings} == {Status.OK}
    assert [item.version for item in findings] == ["20.10.24", "15.18", "7.0.15", "2.42.0", "", ""]
    assert all(item.latency_ms is not None for item in findings)
    assert exit_code(findings) == 0


async def test_a_role_without_pg_monitor_is_told_what_to_grant() -> None:
    found = await finding("PostgreSQL", database=database(monitor=False, signal=False))
    assert found.status is Status.WARNING
    assert found.missing == ("pg_monitor: sees every session", "pg_signal_backend: may end sessions")
    assert found.advice == (
        'As a superuser: GRANT pg_monitor TO "sms_user";',
        'As a superuser: GRANT pg_signal_backend TO "sms_user";',
    )


async def test_missing_privileges_leave_the_exit_code_alone() -> None:
    assert exit_code(await examine(system(database=database(monitor=False)))) == 0


async def test_a_login_that_is_refused_is_told_in_the_words_of_the_source() -> None:
    refused = SourceError(FailureKind.LOGIN, "PostgreSQL refused the login of sms_user.", "Set SMS_DB_PASSWORD.")
    told = Told(accepts=Accepts(False, "login", "password authentication failed"), privileges=refused)
    found = await finding("PostgreSQL", database=told)
    assert (found.status, found.message, found.advice) == (Status.FAILED, refused.failure.message, ("Set SMS_DB_PASSWORD.",))


async def test_a_full_server_that_answers_over_reserved_slots_is_a_warning() -> None:
    found = await finding("PostgreSQL", database=database(accepts=Accepts(False, "too_many_clients", "too many clients")))
    assert found.status is Status.WARNING
    assert "reserved slots" in found.message


async def test_forbidden_redis_commands_become_acl_rules() -> None:
    found = await finding("Redis", cache=cache(["SLOWLOG LEN", "CLIENT LIST"]))
    assert found.status is Status.WARNING
    assert found.advice[0] == "ACL SETUSER triage +slowlog|len +client|list"


async def test_containers_that_a_role_names_and_nobody_has_are_missing() -> None:
    found = await finding("Container engine", engine=engine("other"))
    assert (found.status, found.missing) == (Status.WARNING, ("container sms-backend (backend)",))


async def test_prometheus_away_fails_but_tells_that_the_scrape_works() -> None:
    scraped = replace(LATENCY, origin=Origin.SCRAPE)
    found = await finding("Prometheus", metrics=Told(version=REFUSED, latency=scraped))
    assert found.status is Status.FAILED
    assert found.found == ("the service's own /metrics, which gives the p95 meanwhile",)


async def test_a_target_that_is_down_and_a_missing_histogram_are_warnings() -> None:
    told = replace(
        LATENCY,
        quality=Quality.NO_SERIES,
        targets=(Target("backend", "backend:8000", False, "connection refused"),),
        notes=("Prometheus has no series x_bucket.",),
    )
    found = await finding("Prometheus", metrics=Told(version="2.42.0", latency=told))
    assert found.status is Status.WARNING
    assert found.missing == (
        "target backend backend:8000: connection refused",
        "a usable histogram http_request_duration_seconds",
    )
    assert "Prometheus has no series x_bucket." in found.advice


@pytest.mark.parametrize("status", [302, 404, 503])
async def test_an_endpoint_that_answers_anything_but_success_is_a_warning(status: int) -> None:
    found = await finding("Endpoint health", endpoints=Told(names=["health"], get=replace(ANSWER, status=status)))
    assert found.status is Status.WARNING
    assert str(status) in found.message


async def test_ports_whose_owner_is_hidden_are_told() -> None:
    found = await finding("This machine", host=host(PortOwner(5432, None, "", "")))
    assert found.missing == ("who listens on port 5432",)


async def test_what_is_not_configured_is_no_failure() -> None:
    findings = await examine(system(engine=None, database=None, cache=None, metrics=None, endpoints=None))
    assert [item.status for item in findings[:-1]] == [Status.NOT_CONFIGURED] * 5
    assert exit_code(findings) == 0


async def test_a_source_that_cannot_be_reached_makes_it_undecided_and_the_others_are_still_told() -> None:
    findings = await examine(system(cache=Told(info=REFUSED)))
    assert [item.status for item in findings].count(Status.OK) == 5
    assert findings[2] == Finding("Redis", Status.FAILED, "The server refused the connection.", advice=("Start it.",))
    assert exit_code(findings) == 4


async def test_sources_that_hang_are_given_up_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LIMIT_S", 0.2)
    started = time.monotonic()
    findings = await examine(system(engine=Told(), database=Told(), cache=Told(), metrics=Told()))
    assert time.monotonic() - started < 1
    assert [item.status for item in findings].count(Status.FAILED) == 4
    assert "has not answered for 0.2 s" in findings[0].message


async def test_a_defect_in_a_source_is_a_failure_and_no_traceback() -> None:
    assert (await finding("Redis", cache=Told(info=RuntimeError("boom")))).status is Status.FAILED


async def test_the_table_is_aligned_and_each_missing_thing_is_followed_by_what_to_do() -> None:
    shown = text(await examine(system(database=database(monitor=False)))).splitlines()
    starts = {line.index("ok") for line in shown if "  ok  " in line}
    assert len(starts) == 1
    assert shown[0].startswith("SOURCE")
    assert "    - missing: pg_monitor: sees every session" in shown
    assert '    → As a superuser: GRANT pg_monitor TO "sms_user";' in shown


async def test_run_prints_a_table_or_one_object() -> None:
    plain, machine = io.StringIO(), io.StringIO()
    assert await run(system(), as_json=False, out=plain) == 0
    assert await run(system(cache=Told(info=REFUSED)), as_json=True, out=machine) == 4
    assert "PostgreSQL" in plain.getvalue()
    answer = json.loads(machine.getvalue())
    assert answer["environment"] == "lab"
    assert [item["status"] for item in answer["sources"]] == ["ok", "ok", "failed", "ok", "ok", "ok"]
