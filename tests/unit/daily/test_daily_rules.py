"""The rules of the morning check: what passes, what fails and leads where, and what is not known."""

from dataclasses import replace

import pytest

from console.config import SystemConfig
from console.config_tables import Limits
from console.daily.figures import Counters, Figures, Tables, Use
from console.daily.health import parts_that_fail
from console.daily.remedies import STEPS, TOPICS
from console.daily.report import Line, Report, Section, Status
from console.daily.rules import judge
from console.daily.text import as_json, as_markdown, as_text
from console.guides.checks.files_backups import BackupFile
from console.guides.loader import load_issues
from console.reading import Failure, FailureKind
from console.sources.protocols.database import Accepts, Activity
from console.sources.protocols.endpoint import Answer
from console.sources.protocols.engine import Containers, Health, State
from console.sources.protocols.metrics import Latency, Origin, Quality
from tests.unit.guides.guide_stack import NAMES, NOW, container, session, sms_config

HOUR = 3600.0
ISSUES = ("sms.c1", "sms.c2", "sms.m1", "smsops.a1", "smsops.a2", "smsops.a3", "smsops.r1", "smsops.r2", "smsops.r3")
AWAY = Failure(FailureKind.REFUSED, "It refused the connection.", "Start it.")
ABSENT = Failure(FailureKind.NOT_CONFIGURED, "None is configured.", "Set it.")
ALL_SOURCES = ("containers", "health", "latency", "use", "accepts", "users", "activity", "tables", "counters", "backups")


def config(**changes: object) -> SystemConfig:
    roles = {role: NAMES[role] for role in NAMES}
    return sms_config().model_copy(update={"roles": roles, **changes})


def latency(**changes: object) -> Latency:
    well = Latency(Origin.PROMETHEUS, 300, Quality.GOOD, 0.1, 0.35, 0.9, requests_per_s=30.0, error_percent=1.3)
    return replace(well, **changes)  # type: ignore[arg-type]


def activity(**changes: object) -> Activity:
    well = Activity("15.9", 40, 3, (session(1), session(2, "active", 0.2)), 2, 4, database_size_bytes=11 << 20)
    return replace(well, **changes)  # type: ignore[arg-type]


def figures(**changes: object) -> Figures:
    """A morning on which all is well."""
    well = Figures(
        containers=Containers(tuple(container(role) for role in NAMES)),
        health=Answer("http://h/health", 200, 0.04, {}, '{"status": "healthy", "checks": {"database": "healthy"}}'),
        latency=latency(),
        use=Use(15.0, "sms-backend", 15.3, "sms-backend"),
        disks={"/": 3.0},
        accepts=Accepts(True, server_version="15.9", elapsed_s=0.01),
        users=18,
        activity=activity(),
        tables=Tables(11, 27_000, 3),
        counters=Counters(0, 99.7, 86_400.0),
        backups=(BackupFile("b2.sql.gz", 140_000, NOW - 2 * HOUR), BackupFile("b1.sql.gz", 139_000, NOW - 26 * HOUR)),
    )
    return replace(well, **changes)  # type: ignore[arg-type]


def report(found: Figures, of: SystemConfig | None = None) -> Report:
    lines, left_out = judge(found, of or config(), ISSUES, NOW)
    return Report("sms", "Students", "lab", NOW, 0.5, lines, left_out)


def line(found: Figures, name: str) -> Line:
    return next(item for item in report(found).lines if item.id == name)


def test_on_a_good_morning_every_line_passes() -> None:
    good = report(figures())
    assert [item.id for item in good.lines if item.status is not Status.OK] == []
    assert (good.exit_code, good.verdict, len(good.lines)) == (0, "all 20 well", 20)
    assert [item.title[:2] for item in good.lines if item.section is Section.MORNING] == ["1.", "2.", "3.", "4.", "5."]
    assert sum(1 for item in good.lines if item.section is Section.BASELINE) == 7


BROKEN: dict[str, dict[str, object]] = {
    "containers": {"containers": Containers((container("backend", state=State.EXITED, exit_code=1),))},
    "health": {"health": Answer("u", 503, 0.1, {}, "")},
    "performance": {"latency": latency(p95_s=0.6)},
    "p95": {"latency": latency(p95_s=0.6)},
    "p99": {"latency": latency(p99_s=3.0)},
    "throughput": {"latency": latency(requests_per_s=2.0)},
    "errors": {"latency": latency(error_percent=2.0)},
    "cpu": {"use": Use(80.0, "x", 1.0, "x")},
    "memory": {"use": Use(1.0, "x", 85.0, "x")},
    "disk": {"disks": {"/": 3.0, "/data": 81.0}},
    "database": {"accepts": Accepts(False, "refused", "It refused the connection.")},
    "backup": {"backups": (BackupFile("b", 140_000, NOW - 24 * HOUR),)},
    "backup-size": {"backups": (BackupFile("b", 60_000, NOW), BackupFile("a", 140_000, NOW - HOUR))},
    "connections": {"activity": activity(used=28)},
    "statements": {"activity": activity(sessions=(session(1, "active", 3.0),))},
    "cache-hit": {"counters": Counters(0, 70.0, None)},
    "deadlocks": {"counters": Counters(9, 99.0, 3 * 86_400.0)},
    "tables": {"tables": Tables(0, 0, 0)},
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_fails_its_line_and_says_what_to_do(name: str) -> None:
    broken = figures(**BROKEN[name])
    found = line(broken, name)
    assert found.status is Status.FAILED
    assert found.remedies
    assert report(broken).exit_code == 3


@pytest.mark.parametrize("source", ALL_SOURCES)
def test_what_cannot_be_read_is_unknown_with_its_reason_and_never_passed(source: str) -> None:
    cut = report(figures(**{source: AWAY}))
    assert cut.unknown
    assert all("refused" in item.reason for item in cut.unknown)
    assert (cut.exit_code, cut.failed) == (4, ())


@pytest.mark.parametrize("source", ALL_SOURCES)
def test_what_is_not_configured_is_left_out_and_said(source: str) -> None:
    without = report(figures(**{source: ABSENT}))
    if source == "users":  # The login that it belongs to is there: it is not known how many users.
        assert [item.id for item in without.unknown] == ["database"]
        return
    assert len(without.lines) < 20 or source in ("use", "latency")
    assert any("None is configured" in item.why for item in without.left_out)
    assert without.exit_code == 0


def test_without_traffic_the_times_are_unknown_and_the_throughput_fails() -> None:
    quiet = figures(latency=latency(quality=Quality.NO_TRAFFIC, p95_s=None, p99_s=None, requests_per_s=0.0, error_percent=None))
    assert {item.id for item in report(quiet).unknown} == {"performance", "p95", "p99", "errors"}
    assert line(quiet, "throughput").critical


def test_a_slow_service_gets_the_four_checks_and_the_issue_of_each() -> None:
    slow = line(figures(latency=latency(p95_s=1.2)), "p95")
    assert slow.critical
    assert [item.issue for item in slow.remedies] == ["sms.c2", "smsops.r3", "smsops.a2", "sms.m1"]
    assert [item.chord for item in slow.remedies] == ["c2", "r3", "a2", "m1"]


def test_few_requests_get_the_four_checks_of_throughput() -> None:
    few = line(figures(latency=latency(requests_per_s=1.5)), "throughput")
    assert [item.words.split(":")[0] for item in few.remedies] == [
        "Check for contention",
        "Review the load",
        "Check for locks in the database",
        "Verify the network between users and backend",
    ]


def test_thresholds_are_those_of_the_configuration() -> None:
    strict = config(thresholds=sms_config().thresholds.model_copy(update={"p95_ms": Limits(alert=100, critical=200)}))
    found = next(item for item in judge(figures(), strict, ISSUES, NOW)[0] if item.id == "p95")
    assert (found.status, found.critical, found.expected) == (Status.FAILED, True, "< 100 ms, critical > 200 ms")


def test_a_metric_without_a_limit_is_left_out_with_its_value() -> None:
    free = config(thresholds=sms_config().thresholds.model_copy(update={"requests_per_s": None}))
    left = judge(figures(), free, ISSUES, NOW)[1]
    assert [(item.title, item.why.partition(",")[0]) for item in left] == [("Throughput", "it is 30 req/s")]


def test_one_disk_that_cannot_be_read_hides_no_full_one() -> None:
    assert line(figures(disks={"/": 95.0, "/data": AWAY}), "disk").critical
    assert line(figures(disks={"/": 3.0, "/data": AWAY}), "disk").status is Status.UNKNOWN


def test_a_container_that_is_starting_is_not_known_to_be_well() -> None:
    starting = Containers(tuple(container(role, health=Health.STARTING) for role in NAMES))
    assert line(figures(containers=starting), "containers").status is Status.UNKNOWN


def test_statistics_without_a_row_are_new_and_no_damage() -> None:
    assert line(figures(tables=Tables(11, 0, 0)), "tables").status is Status.UNKNOWN


def test_sessions_that_are_hidden_may_be_slow_ones() -> None:
    assert line(figures(activity=activity(hidden=3)), "statements").status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("body", "failing"),
    [
        ('{"status": "healthy", "database": "connected"}', ()),
        ('{"status": "degraded", "checks": {"redis": {"status": "down"}}}', ("status: degraded", "checks.redis.status: down")),
        ('{"checks": {"disk": "full", "memory": "ok"}}', ("checks.disk: full",)),
        ('{"ready": false}', ("ready: False",)),
        ('{"version": "1.17", "uptime": 3}', ()),
        ("OK", ()),
        ("[1]", ()),
    ],
)
def test_parts_of_a_health_answer(body: str, failing: tuple[str, ...]) -> None:
    assert parts_that_fail(body) == failing


def test_the_issues_that_are_named_are_there() -> None:
    known = {issue.id for guide in ("sms", "smsops", "planner", "dotmac", "sovd") for issue in load_issues((guide,))}
    assert {issue for issues in TOPICS.values() for issue in issues} <= known
    assert {topic for steps in STEPS.values() for _, topic in steps if topic} == set(TOPICS)


def test_markdown_to_keep_has_date_environment_tables_and_what_to_do() -> None:
    page = as_markdown(report(figures(latency=latency(p95_s=0.6), health=AWAY, backups=ABSENT)))
    for words in ("environment lab", "**2 of", "| FAILED |", "`g c 2` (sms.c2)", "## Not known"):
        assert words in page
    assert "## Not looked at" in page


def test_a_name_from_outside_breaks_no_table() -> None:
    evil = Containers((*(container(role) for role in NAMES), container("x", name="a|b[c](http://e)<img>", state=State.DEAD)))
    row = next(text for text in as_markdown(report(figures(containers=evil))).splitlines() if "a\\|b" in text)
    assert "<img" not in row.replace("\\<img", "")


def test_json_has_the_promised_shape() -> None:
    told = as_json(report(figures(latency=latency(p95_s=0.6))))
    assert (told["status"], told["system"], told["environment"]) == ("failed", "sms", "lab")
    slow = next(item for item in told["lines"] if item["id"] == "p95")
    assert set(slow) == {"id", "section", "title", "expected", "actual", "status", "critical", "reason", "actions"}
    assert slow["actions"][0] == {"words": "Check the database's connection pool", "issue": "sms.c2", "chord": "c2"}


def test_the_text_tells_a_reason_once() -> None:
    text = as_text(report(figures(activity=AWAY)))
    assert (text.count("Start it."), text.count("for the same reason")) == (1, 2)
