"""Requests in the logs: who asked for what and how often, and one request followed through all logs by its id."""

import asyncio
import shlex
from collections import Counter
from collections.abc import Mapping

from pydantic import Field

from console.guides.checks.check import Check, Fact, Facts, FactType, Findings
from console.guides.checks.log_lines import logs_command, one_log_command, piped, read_logs
from console.guides.checks.logs_match import MOST_LINES, log_line
from console.guides.checks.words import age, listed, number
from console.guides.parameters import Parameters, Seconds
from console.guides.readings import Readings
from console.logs.access import Request, busiest_minute, limit_class, requests
from console.logs.classify import Level
from console.logs.trace import trace
from console.reading import Failure, FailureKind
from console.text import clean

TRACED_LINES = 10_000
"""Of each log; one request is looked for, so more of it must be read than where lines are counted."""
SLOW_S = 1.0
VERY_SLOW_S = 30.0
CLASSES = ("auth", "commands", "api")
"""Classes of rate limits that have a fact."""
_OFTEN_UNTOLD = ("slow", "top_client", *(f"{name}_per_min" for name in CLASSES))
_SHOWN = 10
_TRACE_SHOWN = 40


class CorrelationParameters(Parameters):
    id: str = Field(min_length=4, max_length=200)
    """What the lines of one request have in common."""
    window: Seconds = Field(default=3600.0, gt=0)


class AccessParameters(Parameters):
    role: str = "backend"
    window: Seconds = Field(default=300.0, gt=0)


async def _correlation(readings: Readings, parameters: CorrelationParameters) -> Findings:
    read = await read_logs(readings, (), parameters.window, TRACED_LINES)
    found = await asyncio.to_thread(trace, read.lines, parameters.id)
    facts: Facts = {
        "lines": read.count(found.lines),
        "containers": read.count(len(found.containers)),
        "errors": read.count(found.errors),
        "status": found.status,
        "user": found.user or None,
        "role": found.role or None,
        "endpoint": found.path or None,
    }
    if not found.steps:
        # That no line was found is known; what one would have said is not.
        headline = f"No log of the last {age(read.span_s(readings.wall()))} holds {clean(parameters.id, 80)}."
        return Findings(facts, headline, (), (*read.unread, Failure(FailureKind.MISSING, headline)))
    told = [f"status {found.status}" if found.status is not None else "", found.path, f"user {found.user}" if found.user else ""]
    told.append(f"role {found.role}" if found.role else "")
    said = ", ".join(filter(None, told)) or "no request is named"
    headline = f"{number(found.lines, 'line')} in {listed(list(found.containers))}: {said}."
    decisive = [step.line for step in found.steps if step.level >= Level.ERROR and step.carries] or [found.steps[-1].line]
    evidence = tuple(log_line(step.line) for step in found.steps[-_TRACE_SHOWN:])
    unread = (*read.unread, *_untold("The lines with this id", facts))
    return Findings(facts, clean(headline, 300), evidence, unread, decisive[-1])


def _untold(what: str, facts: Facts) -> tuple[Failure, ...]:
    missing = [name for name, value in facts.items() if value is None]
    return (Failure(FailureKind.UNSUPPORTED, f"{what} do not tell: {', '.join(missing)}."),) if missing else ()


async def _access(readings: Readings, parameters: AccessParameters) -> Findings:
    read = await read_logs(readings, (parameters.role,), parameters.window, MOST_LINES)
    found = await asyncio.to_thread(requests, read.lines)
    limits = readings.system.config.rate_limits
    if not found:
        failure = Failure(
            FailureKind.UNSUPPORTED,
            f"None of {number(len(read.lines), 'line')} tells of a request in a form that is known.",
            "Known are `GET /path 200 12ms`, the common log format, and fields (method, path, status) as JSON or key=value.",
        )
        return Findings({"requests": 0}, failure.message, (), (failure,) if read.lines else ())
    span_s = max(read.span_s(readings.wall()), 1.0)
    by_class = rates(found, tuple(dict.fromkeys((*CLASSES, *limits))))
    endpoints, askers = Counter(request.endpoint for request in found), Counter(request.who for request in found if request.who)
    durations = [request.duration_s for request in found if request.duration_s is not None]
    worst_class, worst_percent = worst(by_class, limits)
    client, asked = askers.most_common(1)[0] if askers else ("", 0)
    facts: Facts = {
        "requests": len(found),
        "s5xx": sum(request.status >= 500 for request in found),
        "s4xx": sum(400 <= request.status < 500 for request in found),
        "s429": sum(request.status == 429 for request in found),
        "s401": sum(request.status == 401 for request in found),
        "slow": sum(spent > SLOW_S for spent in durations) if durations else None,
        "over_30s": sum(spent >= VERY_SLOW_S for spent in durations) if durations else None,
        "top": clean(endpoints.most_common(1)[0][0], 200),
        "top_client": clean(client, 100) if askers else None,
        "top_client_percent": round(100 * asked / len(found), 1) if askers else None,
        **{f"{name}_per_min": by_class[name] for name in CLASSES},
        "over_limit": _over_limit(by_class, limits),
        "worst_percent": worst_percent,
        "worst_class": worst_class,
    }
    refused = Counter(request.who for request in found if request.who and 400 <= request.status < 500)
    headline = (
        f"{number(len(found), 'request')} in {age(span_s)}, {facts['s5xx']} answered 5xx, {facts['s4xx']} 4xx"
        f"{''.join(f' ({count} by {who})' for who, count in refused.most_common(1))}"
        f"{f', most by {client} ({asked})' if client else ''}."
    )
    unread = (*read.unread, *_untold("The logged requests", {name: facts[name] for name in _OFTEN_UNTOLD}))
    return Findings(facts, clean(headline, 300), _access_evidence(found, by_class, limits), unread)


def rates(found: tuple[Request, ...], classes: tuple[str, ...]) -> dict[str, int | None]:
    """The most requests that one asker made within a minute, by class of rate limit; None where no line tells who asked."""
    by_class: dict[str, list[Request]] = {name: [] for name in classes}
    for request in found:
        if name := limit_class(request.path, classes):
            by_class[name].append(request)
    return {name: busiest_minute(own) for name, own in by_class.items()}


def worst(by_class: Mapping[str, int | None], limits: Mapping[str, int]) -> tuple[str | None, float | None]:
    """The class whose busiest client takes most of its limit, and how many percent; None where no limit or no asker is known."""
    shares = {name: 100 * rate / limit for name, limit in limits.items() if (rate := by_class[name]) is not None}
    if not shares:
        return None, None
    name = max(shares, key=lambda each: shares[each])
    return (name, round(shares[name], 1)) if shares[name] else ("", 0.0)


def _over_limit(by_class: Mapping[str, int | None], limits: Mapping[str, int]) -> bool | None:
    """Whether a class was asked more often than allowed; None without limits, or when the classes known keep theirs."""
    known = [(rate, limits[name]) for name in limits if (rate := by_class[name]) is not None]
    if any(rate > limit for rate, limit in known):
        return True
    return False if limits and len(known) == len(limits) else None


def _access_evidence(found: tuple[Request, ...], by_class: dict[str, int | None], limits: Mapping[str, int]) -> tuple[str, ...]:
    lines = []
    for name, rate in by_class.items():
        if rate:
            limit = f", the limit is {limits[name]}" if name in limits else ""
            lines.append(f"{name}: at most {rate} a minute by one client{limit}")
    statuses = Counter((request.endpoint, request.status) for request in found)
    lines += [f"{count}×  {status}  {endpoint}" for (endpoint, status), count in statuses.most_common(_SHOWN)]
    askers = Counter(request.who for request in found if request.who)
    lines += [f"{count} by {who}" for who, count in askers.most_common(3)]
    slowest = sorted((request for request in found if request.duration_s), key=lambda request: -(request.duration_s or 0))[:3]
    lines += [f"{request.duration_s:.2f} s  {request.status}  {request.method} {request.path}" for request in slowest]
    return tuple(clean(line, 300) for line in lines)


CHECKS = (
    Check(
        name="logs.correlation",
        title="What do all logs say about one request?",
        parameters=CorrelationParameters,
        facts=(
            Fact("lines", FactType.NUMBER, "lines that hold the id"),
            Fact("containers", FactType.NUMBER, "containers or services that wrote one"),
            Fact("errors", FactType.NUMBER, "of these lines, errors"),
            Fact("status", FactType.NUMBER, "the last HTTP status that a line names"),
            Fact("user", FactType.TEXT, "who asked, when a line tells"),
            Fact("role", FactType.TEXT, "the role of who asked, when a line tells"),
            Fact("endpoint", FactType.TEXT, "the path that was asked for, when a line tells"),
        ),
        command=lambda config, parameters: piped(
            logs_command(config, (), parameters.window, TRACED_LINES), f"grep -F -- {shlex.quote(clean(parameters.id, 200))}"
        ),
        make=_correlation,
    ),
    Check(
        name="logs.access",
        title="Who asks for what, and with which answers?",
        parameters=AccessParameters,
        facts=(
            Fact("requests", FactType.NUMBER, "requests that were logged"),
            Fact("s5xx", FactType.NUMBER, "answered with a status of 500 or more"),
            Fact("s4xx", FactType.NUMBER, "answered with a status from 400 to 499"),
            Fact("s429", FactType.NUMBER, "turned away by a rate limit"),
            Fact("s401", FactType.NUMBER, "turned away for want of a login"),
            Fact("slow", FactType.NUMBER, "took over a second"),
            Fact("over_30s", FactType.NUMBER, "took 30 seconds or more"),
            Fact("top", FactType.TEXT, "the endpoint that was asked most"),
            Fact("top_client", FactType.TEXT, "the user or address that asked most, when the log tells"),
            Fact("top_client_percent", FactType.NUMBER, "its share of all requests", "%"),
            *(
                Fact(f"{name}_per_min", FactType.NUMBER, f"the most requests of the class {name} by one client in a minute")
                for name in CLASSES
            ),
            Fact("over_limit", FactType.BOOL, "a class was asked more often than rate_limits of the config allows"),
            Fact("worst_percent", FactType.NUMBER, "the most that one client took of its limit in a minute; 100 is all", "%"),
            Fact("worst_class", FactType.TEXT, "the class of that limit, empty when nobody asked for one"),
        ),
        command=lambda config, parameters: piped(
            one_log_command(config, parameters.role, parameters.window, MOST_LINES), "grep -E '(GET|POST|PUT|PATCH|DELETE) /'"
        ),
        make=_access,
    ),
)
