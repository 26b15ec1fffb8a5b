"""What is wrong in a reading is said in one line, by the thresholds of the configuration."""

from dataclasses import replace

import pytest

from console.alarms import (
    Alarm,
    cache_alarms,
    container_alarms,
    container_severity,
    database_alarms,
    latency_alarms,
    source_alarms,
    worst,
)
from console.config_tables import Limits
from console.reading import Failure, FailureKind, Reading
from console.severity import Severity, above, below
from console.sources.protocols.engine import Containers, Health, State
from console.sources.protocols.metrics import Quality
from tests.ui import fakes

CONFIG = fakes.config()


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, Severity.UNKNOWN), (79.9, Severity.FINE), (80, Severity.ALERT), (94.9, Severity.ALERT), (95, Severity.CRITICAL)],
)
def test_a_figure_is_as_bad_as_the_limit_it_reaches(value: float | None, expected: Severity) -> None:
    assert above(value, Limits(alert=80, critical=95)) is expected


@pytest.mark.parametrize(
    ("value", "expected"), [(None, Severity.UNKNOWN), (21, Severity.FINE), (20, Severity.ALERT), (10, Severity.CRITICAL)]
)
def test_a_figure_that_must_not_be_low_is_bad_from_below(value: float | None, expected: Severity) -> None:
    assert below(value, Limits(alert=20, critical=10)) is expected


def test_a_role_that_is_down_is_critical_and_a_finished_helper_is_fine() -> None:
    backend = fakes.container("sms-backend", 1, state=State.EXITED, exit_code=0)
    backup = fakes.container("sms-db-backup", 2, state=State.EXITED, health=Health.NONE, exit_code=0)
    failed = replace(backup, exit_code=1)
    assert container_severity(backend, CONFIG) is Severity.CRITICAL
    assert container_severity(backup, CONFIG) is Severity.FINE
    assert container_severity(failed, CONFIG) is Severity.ALERT


def test_a_role_without_a_container_is_critical() -> None:
    present = tuple(item for item in fakes.containers().items if item.name != "sms-redis")
    assert Alarm(Severity.CRITICAL, "sms-redis (cache) is not there") in container_alarms(Containers(present), CONFIG, fakes.NOW)


def test_containers_tell_state_exit_and_usage_over_limits() -> None:
    assert container_alarms(fakes.containers(), CONFIG, fakes.NOW) == [
        Alarm(Severity.CRITICAL, "sms-backend is unhealthy"),
        Alarm(Severity.ALERT, "sms-backend CPU 86 %"),
        Alarm(Severity.ALERT, "sms-backend memory 92 %"),
        Alarm(Severity.ALERT, "sms-worker is exited, exit 137 (out of memory)"),
    ]


def test_a_container_that_keeps_being_restarted_is_told_though_it_runs() -> None:
    looping = fakes.container("sms-redis", 2, restart_count=11, started_at=fakes.NOW - 20)
    settled = fakes.container("sms-redis", 2, restart_count=11, started_at=fakes.NOW - 3600)
    alarm = Alarm(Severity.ALERT, "sms-redis was restarted 11 times")
    assert alarm in container_alarms(Containers((looping,)), CONFIG, fakes.NOW)
    assert alarm not in container_alarms(Containers((settled,)), CONFIG, fakes.NOW)


def test_postgres_tells_connections_blocked_sessions_and_old_statements() -> None:
    assert database_alarms(fakes.activity(), CONFIG) == [
        Alarm(Severity.ALERT, "PostgreSQL connections 30/40"),
        Alarm(Severity.ALERT, "2 PostgreSQL sessions blocked"),
        Alarm(Severity.CRITICAL, "statement running for 280 s"),
    ]


def test_redis_tells_memory_and_failed_persistence() -> None:
    broken = replace(fakes.cache_info(), rdb_last_save_ok=False, aof_last_write_ok=False)
    assert cache_alarms(broken, CONFIG) == [
        Alarm(Severity.ALERT, "Redis memory 91 %"),
        Alarm(Severity.ALERT, "Redis: the last save failed"),
        Alarm(Severity.CRITICAL, "Redis: writing the AOF fails"),
    ]


def test_latency_tells_p95_errors_alerts_and_targets() -> None:
    assert latency_alarms(fakes.latency(), CONFIG) == [
        Alarm(Severity.CRITICAL, "p95 1080 ms"),
        Alarm(Severity.ALERT, "errors 2.4 %"),
        Alarm(Severity.ALERT, "alert HighLatency"),
        Alarm(Severity.ALERT, "target node is down"),
    ]


def test_a_percentile_that_is_no_good_is_not_compared() -> None:
    strange = replace(fakes.latency(), quality=Quality.NO_TRAFFIC, alerts=(), targets=(), error_percent=None)
    assert latency_alarms(strange, CONFIG) == []


def test_a_source_that_is_gone_is_an_alarm_and_one_that_is_not_configured_is_none() -> None:
    refused: Reading[object] = Reading(fakes.NOW, 0.1, failure=Failure(FailureKind.REFUSED, "x"))
    absent: Reading[object] = Reading(fakes.NOW, 0.1, failure=Failure(FailureKind.NOT_CONFIGURED, "x"))
    assert source_alarms("Redis", refused) == [Alarm(Severity.ALERT, "Redis refuses connections")]
    assert source_alarms("Redis", absent) == []


def test_the_worst_alarm_comes_first_and_the_others_are_counted() -> None:
    alarms = [Alarm(Severity.ALERT, "a"), Alarm(Severity.CRITICAL, "b"), Alarm(Severity.CRITICAL, "c")]
    assert worst(alarms) == (Alarm(Severity.CRITICAL, "b"), 2)
    assert worst([]) == (None, 0)
