"""The morning check as JSON, as Markdown to keep, and for a terminal. Pure."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from console.daily.report import Line, Remedy, Report, Section, Status
from console.markdown import plain

_WORDS = {Status.OK: "ok", Status.FAILED: "FAILED", Status.UNKNOWN: "UNKNOWN"}


def as_json(report: Report) -> Mapping[str, Any]:
    """One object: `system`, `title`, `environment`, `taken_at` (Unix seconds), `elapsed_ms`, `status` ("ok" | "failed" |
    "unknown"), `lines`, and `left_out`, a list of `{title, why}` of what is not configured.

    A line is `{id, section, title, expected, actual, status, critical, reason, actions}`. `reason` says why it is unknown,
    `actions` what to do about it when it failed: `{words, issue, chord}`, issue and chord null where no guide has one.
    """
    status = Status.FAILED if report.failed else Status.UNKNOWN if report.exit_code else Status.OK
    return {
        "system": report.system,
        "title": report.title,
        "environment": report.environment,
        "taken_at": report.taken_at,
        "elapsed_ms": round(report.elapsed_s * 1000, 1),
        "status": status.value,
        "lines": [
            {
                "id": line.id,
                "section": line.section.value,
                "title": line.title,
                "expected": line.expected,
                "actual": line.actual,
                "status": line.status.value,
                "critical": line.critical,
                "reason": line.reason,
                "actions": [
                    {"words": item.words, "issue": item.issue or None, "chord": item.chord or None} for item in line.remedies
                ],
            }
            for line in report.lines
        ],
        "left_out": [{"title": item.title, "why": item.why} for item in report.left_out],
    }


def as_markdown(report: Report) -> str:
    """A page to keep: date, system, environment, the tables, what to do."""
    taken = time.strftime("%Y-%m-%d %H:%M %Z", time.localtime(report.taken_at))
    lines = [
        f"# Morning check of {plain(report.title)}",
        "",
        f"{taken} · system {report.system} · environment {report.environment} · **{report.verdict}**",
    ]
    for section in Section:
        rows = [line for line in report.lines if line.section is section]
        if rows:
            lines += ["", f"## {section.value}", "", "| | check | expected | actual |", "|---|---|---|---|"]
            lines += [
                f"| {_mark(row)} | {plain(row.title)} | {plain(row.expected)} | {plain(row.actual or '–')} |" for row in rows
            ]
    lines += _actions(report)
    if report.left_out:
        lines += ["", "## Not looked at", "", *(f"- {plain(item.title)}: {plain(item.why)}" for item in report.left_out)]
    return "\n".join(lines) + "\n"


def _actions(report: Report) -> Iterator[str]:
    if report.failed:
        yield from ("", "## To do", "")
    for line in report.failed:
        yield f"- [ ] **{plain(line.title)}**: {plain(line.actual)}"
        for item in line.remedies:
            yield f"  - {plain(item.words)}{f': `g {item.chord[:1]} {item.chord[1:]}` ({item.issue})' if item.issue else ''}"
    if report.unknown:
        yield from ("", "## Not known", "")
        yield from (f"- **{plain(line.title)}**: {plain(line.reason)}" for line in report.unknown)


def as_text(report: Report) -> str:
    """For a terminal: a line each, what to do below those that failed."""
    taken = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(report.taken_at))
    lines = [f"{report.system} ({report.environment}), {taken}: {report.verdict}"]
    told: set[str] = set()
    for section in Section:
        rows = [line for line in report.lines if line.section is section]
        if rows:
            lines += ["", section.value]
        for row in rows:
            lines.append(f"  {_WORDS[row.status]:<8} {row.title:<22} {row.actual or '?'}  ({row.expected})")
            if row.reason:
                lines.append(f"           {'for the same reason as above' if row.reason in told else row.reason}")
                told.add(row.reason)
            lines += map(_todo, row.remedies)
    if report.left_out:
        lines += ["", "Not looked at", *(f"  {item.title}: {item.why}" for item in report.left_out)]
    return "\n".join(lines)


def _row(line: Line) -> str:
    cells = (_mark(line), *map(plain, (line.title, line.expected, line.actual or "–")))
    return f"| {' | '.join(cells)} |"


def _todo(item: Remedy) -> str:
    return f"           → {item.words}{f': {item.chord} ({item.issue})' if item.issue else ''}"


def _mark(line: Line) -> str:
    word = _WORDS[line.status]
    return f"**{word}**" if line.critical else word
