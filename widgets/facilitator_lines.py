"""The facilitator's two panes as lines: how the round stands in truth, and what the trainee does. Pure."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from console.practice.drill.rounds import Entry
from console.practice.drill.scenario import Scenario, Truth
from console.practice.drill.seen import NOTHING_WRONG, PHASES
from console.practice.drill.watching import Probed, Sample
from console.text import clean
from widgets.drill_lines import minutes
from widgets.figures import UNKNOWN
from widgets.line import Line, Span, line, wrapped


class Standing(Protocol):
    """How a round stands, as its referee tells it."""

    @property
    def phase(self) -> str: ...
    @property
    def elapsed_s(self) -> float: ...
    @property
    def probes(self) -> tuple[Probed, ...]: ...
    @property
    def sample(self) -> Sample: ...
    @property
    def held_s(self) -> float | None: ...
    @property
    def faults(self) -> tuple[str, ...]: ...
    @property
    def reached(self) -> tuple[str, ...]: ...
    @property
    def losses(self) -> tuple[str, ...]: ...


_PHASES: Mapping[str, tuple[str, str]] = {
    "preparing": ("being prepared", "muted"),
    "running": ("running", "good"),
    "frozen": ("FROZEN", "warn"),
    "healing": ("over; the stack is being mended …", "warn"),
    "over": ("over, mended", "strong"),
}
_HOLDS: Mapping[bool | None, tuple[str, str]] = {True: ("✔", "good"), False: ("✖", "bad"), None: ("?", "warn")}


def round_line(scenario: Scenario, standing: Standing) -> Line:
    """The facilitator's top line: which round, its clock, how far it is."""
    word, tone = _PHASES.get(standing.phase, (standing.phase, ""))
    done = [part for phase in PHASES for part in (Span("  "), _reached(standing, phase))]
    clock = f"{minutes(standing.elapsed_s)} of {minutes(scenario.respond_s)}  "
    return line(Span(" FACILITATOR  ", "strong"), Span(f"{scenario.system}  "), Span(clock, "strong"), Span(word, tone), *done)


def truth_lines(scenario: Scenario, truth: Truth, standing: Standing, summaries: Mapping[str, str], width: int) -> list[Line]:
    """What is wrong, what was broken, and what the probes and figures say of it."""
    causes = [f"{cause} {summaries.get(cause, '')}".strip() for cause in truth.causes] or [NOTHING_WRONG]
    lines = [*wrapped(scenario.title, width, "strong", most=2), line(), line(Span("Cause", "head"))]
    lines += [row for text in causes for row in wrapped(text, width, most=3)]
    if truth.accepted:
        lines += wrapped(f"also right: {', '.join(truth.accepted)}", width, "muted", most=3)
    lines += [line(), line(Span("Faults", "head")), *_faults(scenario, standing, width)]
    held = "" if standing.held_s is None else f"  all hold for {standing.held_s:.0f} s"
    lines += [line(), line(Span("Probes", "head"), Span(held, "good"))]
    lines += [row for probed in standing.probes for row in _probe(probed, width)] or [line(Span("none made yet", "muted"))]
    lines += [line(), line(Span("The service", "head")), *wrapped(_figures(standing.sample), width, most=3)]
    if standing.losses:
        lines += [line(), line(Span("Lost by the trainee", "head"))]
        lines += [row for what in standing.losses for row in wrapped(what, width, "bad", most=2)]
    lines += [line(), line(Span("Hints", "head"))]
    return lines + [row for n, hint in enumerate(scenario.hints, 1) for row in wrapped(f"{n}. {hint}", width, "muted", most=3)]


def doing_lines(entries: Sequence[Entry], causes: Collection[str], width: int) -> list[Line]:
    """What the trainee does, the newest first. `causes` are right diagnoses."""
    lines: list[Line] = []
    for entry in reversed(entries):
        text, tone = _deed(entry, causes)
        stamp = f"{_time(entry)}  "
        for index, part in enumerate(wrapped(text, max(10, width - len(stamp)), tone, most=3)):
            lines.append(line(Span(stamp if index == 0 else " " * len(stamp), "muted"), *part.spans))
    return lines or [line(Span("The trainee has not joined yet: `triage drill join` in another terminal.", "muted"))]


def _reached(standing: Standing, phase: str) -> Span:
    done = phase in standing.reached
    return Span(f"{'✔' if done else '·'} {phase}", "good" if done else "muted")


def _faults(scenario: Scenario, standing: Standing, width: int) -> list[Line]:
    planned = [(fault.fault, fault.at_s, fault.fault in standing.faults) for fault in scenario.faults]
    known = {fault.fault for fault in scenario.faults}
    added = [(fault, None, True) for fault in standing.faults if fault not in known]
    lines = []
    for name, at_s, in_place in (*planned, *added):
        when = "added" if at_s is None else f"at {minutes(at_s)}"
        words = f"in place, {when}" if in_place else when
        lines += wrapped(f"{'✖' if in_place else '·'} {name} ({words})", width, "bad" if in_place else "muted", most=2)
    lines += [line(Span(f"~ {noise.noise} (harmless, at {minutes(noise.at_s)})", "muted")) for noise in scenario.noise]
    return lines or [line(Span("none", "muted"))]


def _probe(probed: Probed, width: int) -> list[Line]:
    glyph, tone = _HOLDS[probed.holds]
    facts = ", ".join(f"{name} {UNKNOWN if value is None else clean(str(value))}" for name, value in probed.facts.items())
    lines = [line(Span(f"{glyph} ", tone), Span(probed.title))]
    return lines + wrapped(f"  {facts}; wanted: {probed.expected}", width, "muted", most=2)


def _figures(sample: Sample) -> str:
    health = {True: "answers 200", False: "fails", None: UNKNOWN}[sample.health_ok]
    return (
        f"p95 {_figure(sample.p95_ms, 'ms')} · errors {_figure(sample.errors_per_s, '/s')} · requests "
        f"{_figure(sample.requests_per_s, '/s')} · connections {_figure(sample.connections)} of "
        f"{_figure(sample.connections_max)} · health {health}"
    )


def _figure(value: float | None, unit: str = "") -> str:
    return UNKNOWN if value is None else f"{value:,.1f} {unit}".strip() if isinstance(value, float) else f"{value:,}"


def _time(entry: Entry) -> str:
    at = entry.get("at")
    return datetime.fromtimestamp(at).strftime("%H:%M:%S") if isinstance(at, int | float) and 0 <= at < 1e11 else "--:--:--"


def _deed(entry: Entry, causes: Collection[str]) -> tuple[str, str]:
    """One entry of the trainee's in words, and its tone."""
    issue = _said(entry, "issue")
    match entry.get("kind"):
        case "joined":
            return "joined", "strong"
        case "acknowledged":
            return "✔ acknowledged", "strong"
        case "diagnosed":
            named = entry.get("causes")
            found = [clean(str(cause)) for cause in named] if isinstance(named, list) else []
            right = set(found) == set(causes)
            return f"diagnosed: {', '.join(found) or NOTHING_WRONG} {'✔' if right else '✖'}", "good" if right else "bad"
        case "hint_wanted":
            return f"wants hint {_said(entry, 'level')}", "warn"
        case "gave_up":
            return "gave up", "bad"
        case "opened":
            return f"opens {_said(entry, 'what')}", "muted"
        case "walk_begins":
            return f"walks {issue}", ""
        case "step":
            return f"{issue}: {_said(entry, 'step')} → {_said(entry, 'branch') or _said(entry, 'status')}", ""
        case "conclusion":
            return f"{issue}: {_said(entry, 'verdict')} {_said(entry, 'cause')}".strip(), "accent"
        case "fix_begins":
            return f"CHANGES {_said(entry, 'risk')} {issue} {_said(entry, 'fix')}: {_said(entry, 'command')}", "warn"
        case "fix_ends":
            return f"changed: {_said(entry, 'fix')}" if entry.get("done") else f"not changed: {_said(entry, 'failed')}", "warn"
        case "fix_verified":
            held: Any = entry.get("held")
            return f"{_said(entry, 'fix')} {'held' if held else 'did not hold'}", "good" if held else "bad"
        case kind:
            return f"{clean(str(kind)).replace('_', ' ')} {issue} {_said(entry, 'text')}".strip(), "muted"


def _said(entry: Entry, name: str) -> str:
    value = entry.get(name)
    return "" if value is None else clean(str(value), 300)
