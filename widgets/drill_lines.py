"""A drill as lines: the one under the banner of every screen, and the drill's own screen. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from console.practice.drill.seen import NOTHING_WRONG, PHASES, Ending, Seen
from widgets.fix_lines import key_line
from widgets.issue_rows import SEVERITIES
from widgets.line import Line, Span, fitted, line, wrapped

WIDE = 110
"""Cells from which on words are written out."""
_SHORT = {"detected": "det", "diagnosed": "dia", "mitigated": "mit"}
_STYLES = {severity.value: look for severity, look in SEVERITIES.items()}


@dataclass(frozen=True, slots=True)
class DrillNews:
    """What is drawn: the round, its clock in whole seconds (None: not begun), and what is wrong with the round itself."""

    seen: Seen
    clock_s: int | None
    trouble: str = ""


def minutes(seconds: float | None) -> str:
    """A clock: `3:05`, `1:02:09`."""
    if seconds is None:
        return "–:––"
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def drill_line(news: DrillNews, width: int) -> Line:
    """The line under the banner: system, severity, clock, phases, and what is newest."""
    seen, wide = news.seen, width >= WIDE
    left = [Span(" DRILL ", "strong"), Span(f"{seen.system}  ")]
    if not seen.known:
        return line(Span(" DRILL ", "strong"), Span("The round is being prepared …", "muted"))
    glyph, tone = _STYLES.get(seen.severity, ("", ""))
    left.append(Span(f"{glyph} {seen.severity}  " if wide else f"{glyph} ", tone))
    left += _clock(news)
    for phase in PHASES:
        left += [Span("  " if wide else " "), _phase(seen, phase, wide)]
    left.append(Span("  "))
    room = max(0, width - sum(cell_len(span.text) for span in left))
    text, style = _newest(news)
    return line(*left, Span(fitted(text, room), style))


def _clock(news: DrillNews) -> list[Span]:
    seen = news.seen
    over = news.clock_s is not None and seen.respond_s is not None and news.clock_s > seen.respond_s
    spans = [Span(minutes(news.clock_s), "bad" if over and "detected" not in seen.phases else "strong")]
    if seen.respond_s is not None:
        spans.append(Span(f" of {minutes(seen.respond_s)}", "muted"))
    if seen.frozen:
        spans.append(Span(" FROZEN", "warn"))
    return spans


def _phase(seen: Seen, phase: str, wide: bool) -> Span:
    word = phase if wide else _SHORT[phase]
    done = phase in seen.phases
    return Span(f"{'✔' if done else '·'}{' ' if wide else ''}{word}", "good" if done else "muted")


def _newest(news: DrillNews) -> tuple[str, str]:
    seen = news.seen
    if seen.how is not None:
        return f"Over: {seen.how.words}. D shows it.", "warn"
    if news.trouble:
        return news.trouble, "bad"
    said = max((*seen.reports, *seen.messages), key=lambda item: item.at, default=None)
    if said is not None:
        return f"▸ {said.who}: {said.text}", ""
    if seen.began_at is None:
        return "It is being prepared …", "muted"
    return "D: the brief, and what to do", "muted"


def drill_lines(news: DrillNews, summaries: Mapping[str, str], width: int) -> list[Line]:
    """The drill's own screen. `summaries` words causes by their id."""
    seen = news.seen
    if not seen.known:
        return [line(Span("The round is being prepared: the stack is looked at and broken.", "muted"))]
    return [
        line(Span(seen.title, "strong")),
        line(Span(f"round {seen.id} · stack {seen.stack} · for {seen.person or 'nobody by name'}", "muted")),
        line(),
        *wrapped(seen.brief, width, most=12),
        line(),
        *_progress(news, width),
        *_ending(seen, width),
        *(wrapped(news.trouble, width, "bad", most=3) if news.trouble else []),
        *_section("What users say", [(item.after_s, f"{item.who}: ", item.text) for item in seen.reports], width),
        *_section("Messages", [(item.after_s, "", item.text) for item in seen.messages], width),
        *_hints(seen, width),
        *_diagnoses(seen, summaries, width),
    ]


def drill_keys(seen: Seen) -> Line:
    """What can be done now."""
    if seen.how is not None:
        return key_line([("enter", "the review"), ("esc", "back")])
    if not seen.running:
        return key_line([("esc", "back")])
    keys = [] if seen.acknowledged_at is not None else [("a", "acknowledge")]
    keys.append(("c", "diagnose" if not seen.diagnoses else "change the diagnosis"))
    if seen.next_hint is not None:
        keys.append(("h", f"hint {seen.next_hint} of {seen.hints}"))
    if seen.gave_up_at is None:
        keys.append(("G", "give up"))
    return key_line([*keys, ("esc", "back")])


def _progress(news: DrillNews, width: int) -> list[Line]:
    seen = news.seen
    lines = [line(Span("clock     ", "muted"), *_clock(news), Span("  from the moment it broke", "muted"))]
    if seen.began_at is None:
        return [line(Span("The stack is being prepared; the clock starts when it is broken.", "muted")), line()]
    for phase, how in zip(PHASES, ("acknowledge it", "hand in a cause", "until it works again, and keeps working"), strict=True):
        at = seen.phases.get(phase)
        if at is not None:
            lines.append(line(Span(f"✔ {phase:<10} ", "good"), Span(f"after {minutes(at)}")))
        else:
            lines.append(line(Span(f"· {phase:<10} ", "muted"), Span(_waiting(seen, phase) or how, "muted")))
    if seen.probes is not None:
        holding, of, held_s = seen.probes
        words = f"{holding} of {of} hold" + (f", all of them for {held_s:.0f} s" if holding == of and held_s > 0 else "")
        lines.append(line(Span("  probes     ", "muted"), Span(words, "good" if holding == of else "warn")))
    if seen.hide_steps:
        lines += wrapped("This round is played without the trees.", width, "warn")
    if seen.frozen:
        lines += wrapped("The facilitator has frozen the round: its clock stands.", width, "warn", most=2)
    return [*lines, line()]


def _waiting(seen: Seen, phase: str) -> str:
    if phase == "detected" and seen.acknowledged_at is not None:
        return "acknowledged; the referee has not seen it yet"
    if phase == "diagnosed" and seen.diagnoses:
        return "handed in; the referee has not seen it yet"
    return ""


def _ending(seen: Seen, width: int) -> list[Line]:
    if seen.how is None and seen.gave_up_at is None:
        return []
    if seen.how is None:
        return [line(Span("You gave up; the referee has not seen it yet.", "warn")), line()]
    reason = "" if seen.how in (Ending.DONE, Ending.GAVE_UP) else f" {seen.reason}"
    return [*wrapped(f"The round is over: {seen.how.words}.{reason}".strip(), width, "warn", most=6), line()]


def _section(title: str, items: Sequence[tuple[float, str, str]], width: int) -> list[Line]:
    if not items:
        return []
    lines = [line(Span(title, "head"))]
    for at_s, who, text in items:
        when = f"{minutes(at_s):>6}  "
        for index, part in enumerate(wrapped(f"{who}{text}", max(10, width - len(when)), most=8)):
            lines.append(line(Span(when if index == 0 else " " * len(when), "muted"), *part.spans))
    return [*lines, line()]


def _hints(seen: Seen, width: int) -> list[Line]:
    lines = [row for level, text in sorted(seen.hint_texts.items()) for row in wrapped(f"{level}. {text}", width, most=8)]
    if seen.hints_wanted > len(seen.hint_texts):
        lines.append(line(Span(f"Hint {seen.hints_wanted} was asked for.", "muted")))
    return [line(Span(f"Hints taken: {len(seen.hint_texts)} of {seen.hints}", "head")), *lines, line()] if lines else []


def _diagnoses(seen: Seen, summaries: Mapping[str, str], width: int) -> list[Line]:
    lines: list[Line] = []
    for number, causes in enumerate(reversed(seen.diagnoses)):
        words = [f"{cause} {summaries.get(cause, '')}".strip() for cause in causes] or [NOTHING_WRONG]
        lead = "now: " if number == 0 else "before: "
        lines += [row for text in words for row in wrapped(lead + text, width, "" if number == 0 else "muted", most=2)]
    return [line(Span("Your diagnosis", "head")), *lines, line()] if lines else []


def over_lines(seen: Seen, width: int) -> list[Line]:
    """How the round ended, and what can be done now."""
    return [*_ending(seen, width), key_line([("enter", "opens the review"), ("esc", "stays here")])]
