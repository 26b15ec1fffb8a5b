"""Procedures as lines: the list of them, and one with its steps and its clock. Pure."""

from collections.abc import Sequence

from console.guides.checks.words import age
from console.procedures.procedure import Mark, Procedure, Run, Step
from widgets.line import Line, Span, line, wrapped

_MARKS = {Mark.OPEN: ("·", "muted"), Mark.BUSY: ("…", "accent"), Mark.WELL: ("✔", "good"), Mark.FAILED: ("✖", "bad")}
_UNKNOWN = ("?", "warn")


def list_lines(found: Sequence[Procedure], chosen: int, width: int) -> list[Line]:
    """Every procedure with its risk, the chosen one with what it is for."""
    lines: list[Line] = []
    for number, item in enumerate(found):
        risk = Span(f"{item.risk or '':<3}", "bad" if item.risk in ("R3", "R4") else "warn")
        lines.append(
            line(" ", risk, Span(item.title, "strong"), Span(f"   {len(item.steps)} steps", "muted"), selected=number == chosen)
        )
        if number == chosen:
            lines += [line("    ", *row.spans) for row in wrapped(item.why, width - 6, "muted")]
    return lines


def run_lines(run: Run, chosen: int, width: int) -> tuple[list[Line], int]:
    """The steps with what came of each; and the number of the chosen one's line."""
    lines = [*_clock(run), *wrapped(run.procedure.why, width, "muted"), line()]
    at = 0
    for number, (step, progress) in enumerate(zip(run.procedure.steps, run.progress, strict=True)):
        sign, tone = _MARKS.get(progress.mark, _UNKNOWN)
        rows = wrapped(step.title, width - 12)
        if number == chosen:
            at = len(lines)
        lines.append(
            line(Span(f" {sign} ", tone), Span(f"{_kind(step):<7}", _tone(step)), *rows[0].spans, selected=number == chosen)
        )
        lines += [line(" " * 10, *row.spans) for row in rows[1:]]
        for text in progress.lines:
            lines += [line(" " * 10, *row.spans) for row in wrapped(text, width - 12, "" if tone == "good" else tone)]
    return lines, at


def _kind(step: Step) -> str:
    return step.fix.risk.value if step.fix else "look" if step.check else "person"


def _tone(step: Step) -> str:
    return "muted" if step.fix is None else "bad" if step.fix.risk.value in ("R3", "R4") else "warn"


def _clock(run: Run) -> list[Line]:
    """How much of what was promised has passed."""
    if not run.procedure.clocked:
        return []
    promised = run.system.config.recovery.rto_minutes * 60
    passed = run.elapsed_s()
    if passed is None:
        return [line(Span(f"RTO {promised // 60} min; the clock starts with the first change", "muted"))]
    words = f"RTO {int(passed) // 60:02}:{int(passed) % 60:02} of {promised // 60}:00 min"
    if run.ended is not None:
        words = f"RTO: back after {age(passed)} of {promised // 60} min"
    return [line(Span(words, "bad" if passed > promised else "good" if run.ended is not None else "warn"))]
