"""The rules of the morning check: figures and thresholds → lines. Pure.

Sources: the operations guide's five morning steps, its table of baselines, its actions when these degrade, RTO and RPO.
"""

from collections.abc import Collection

from console.alarms import container_severity, in_crash_loop
from console.config import SystemConfig
from console.daily import baseline, stores
from console.daily.figures import Figures
from console.daily.health import parts_that_fail
from console.daily.judged import Judged, unread
from console.daily.remedies import STEPS, remedies
from console.daily.report import LeftOut, Line, Section, Status
from console.guides.checks.words import listed
from console.reading import Failure
from console.severity import Severity
from console.sources.protocols.endpoint import Answer
from console.sources.protocols.engine import Containers, State
from console.text import clean

_STATUS = {Severity.FINE: Status.OK, Severity.UNKNOWN: Status.UNKNOWN}


def judge(
    figures: Figures, config: SystemConfig, issues: Collection[str], now: float
) -> tuple[tuple[Line, ...], tuple[LeftOut, ...]]:
    """Every line, and what is left out because it is not configured. `now` is Unix seconds, `issues` the ids that there are."""
    metrics = baseline.metrics(figures, config)
    found = [
        containers_line(figures.containers, config, now),
        health_line(figures.health),
        baseline.together(metrics),
        stores.answers_line(figures),
        stores.backup_age_line(figures.backups, config, now),
        *(baseline.line(metric) for metric in metrics),
        *stores.backup_lines(figures.backups, now),
        *stores.database_lines(figures, config),
    ]
    lines = [_line(item, issues) for item in found if isinstance(item, Judged)]
    left = {item.why: item for item in reversed(found) if isinstance(item, LeftOut)}
    return tuple(lines), tuple(reversed(left.values()))


def _line(judged: Judged, issues: Collection[str]) -> Line:
    status = _STATUS.get(judged.severity, Status.FAILED)
    steps = STEPS.get(judged.id.partition(":")[0], ()) if status is Status.FAILED else ()
    return Line(
        judged.id,
        judged.section,
        judged.title,
        judged.expected,
        judged.actual,
        status,
        judged.severity is Severity.CRITICAL,
        judged.reason if status is Status.UNKNOWN else "",
        remedies(steps, issues),
    )


def containers_line(found: Containers | Failure, config: SystemConfig, now: float) -> Judged | LeftOut:
    """Step 1: everything of the system runs and is healthy; what has a role is there."""
    services = "Services" if config.runs_on_machine else "Containers"
    title, expected = f"1. {services}", "all run and are healthy"
    if isinstance(found, Failure):
        return unread("containers", Section.MORNING, title, expected, found)
    wanted = config.units if config.runs_on_machine else config.roles
    trouble = [(Severity.CRITICAL, f"{name} is not there") for name in wanted.values() if found.named(name) is None]
    for item in found.items:
        severity = container_severity(item, config)
        if in_crash_loop(item, now):
            severity = max(severity, Severity.ALERT)
        if severity is not Severity.FINE:
            state = item.health.value if item.state is State.RUNNING and item.health.value != "none" else item.state.value
            state = "restarted again and again" if in_crash_loop(item, now) else state
            trouble.append((severity, f"{clean(item.name)} is {state}"))
    trouble.sort(key=lambda pair: -pair[0])
    well = sum(1 for item in found.items if item.state is State.RUNNING)
    actual = f"{well} of {len(found.items)} run"
    if not found.items and not trouble:
        return Judged("containers", Section.MORNING, title, expected, "there is none", Severity.CRITICAL)
    if not trouble:
        return Judged("containers", Section.MORNING, title, expected, actual)
    words = listed([text for _, text in trouble], 3)
    return Judged("containers", Section.MORNING, title, expected, f"{actual}: {words}", trouble[0][0], words)


def health_line(found: Answer | Failure) -> Judged | LeftOut:
    """Step 2: the health endpoint answers 200, and nothing in its answer says that a part is not well."""
    title, expected = "2. Health endpoint", "200, every part healthy"
    if isinstance(found, Failure):
        return unread("health", Section.MORNING, title, expected, found)
    failing = parts_that_fail(found.body)
    took = f"{found.status} after {found.elapsed_s * 1000:.0f} ms"
    if found.status != 200 or failing:
        said = f": {listed(list(failing), 3)}" if failing else ""
        return Judged("health", Section.MORNING, title, expected, f"{took}{said}", Severity.CRITICAL)
    return Judged("health", Section.MORNING, title, expected, took)
