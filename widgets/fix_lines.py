"""What the confirmation of a fix says in each phase, as lines. Pure: everything comes from one `FixProgress`."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from rich.cells import cell_len

from console.config import Environment
from console.guides.fixes import Applied, Preview, Verification, VerifyState
from console.guides.issue import Fix
from console.guides.risk import Asks
from console.reading import Failure
from widgets.line import Line, Span, fitted, line, wrapped


class Phase(Enum):
    """How far a fix has got."""

    LOOKING = auto()
    """Finding out what would be hit."""
    BLIND = auto()
    """That could not be found out."""
    ASKING = auto()
    """The preview is shown, and nothing is done until it is confirmed."""
    DOING = auto()
    VERIFYING = auto()
    ENDED = auto()


@dataclass(frozen=True, slots=True)
class FixProgress:
    """A fix and all that is known about it now. `elapsed_s` counts from the beginning of the phase."""

    fix: Fix
    environment: Environment
    phase: Phase = Phase.LOOKING
    preview: Preview | None = None
    failure: Failure | None = None
    applied: Applied | None = None
    verification: Verification | None = None
    stopped: str = ""
    """What was stopped by the operator, in words."""
    armed: bool = False
    typing: bool = False
    """The text field is open."""
    refused_input: bool = False
    """What was typed is not what is expected."""
    next_fix: Fix | None = None
    elapsed_s: float = 0.0

    @property
    def asks(self) -> Asks | None:
        """What kind of act would confirm now; None when nothing can be confirmed."""
        if self.phase is not Phase.ASKING or self.preview is None or not self.preview.can_apply or not self.armed:
            return None
        wanted = self.preview.confirmation.asks
        return None if wanted is Asks.REFUSED else wanted

    @property
    def stoppable(self) -> bool:
        """Whether stopping now leaves nothing half done: between several targets, and while it is only watched."""
        if self.phase is Phase.VERIFYING:
            return True
        return self.phase is Phase.DOING and self.preview is not None and len(self.preview.targets) > 1

    @property
    def held(self) -> bool | None:
        """Whether the fix is known to hold; None when that was not found out."""
        if self.verification is None or self.verification.state not in (VerifyState.HELD, VerifyState.FAILED):
            return None
        return self.verification.state is VerifyState.HELD


def preview_lines(progress: FixProgress, width: int) -> list[Line]:
    """Target, effect, way back, command, and the list of what will be hit."""
    preview = progress.preview
    environment = progress.environment
    first = line(
        Span(progress.fix.risk.value, "bad" if progress.fix.risk.value in ("R3", "R4") else "warn"),
        Span(f" {progress.fix.risk.words}", "muted"),
        "   ",
        Span(environment.value.upper(), "bad" if environment is Environment.PRODUCTION else "strong"),
    )
    if preview is None:
        return [first]
    found = [first]
    if preview.targets:
        names = ", ".join(target.name for target in preview.targets[:3])
        more = len(preview.targets) - 3
        found += _labelled("Target", f"{names}{f' and {more} more' if more > 0 else ''}", width, "strong")
    found += _labelled("Effect", preview.effect, width)
    found += _labelled("Way back", preview.way_back or "none", width)
    found += _labelled("Command", preview.command, width, "accent")
    found += _labelled("Note", progress.fix.notes, width)
    if preview.lines:
        head = "For you to do" if preview.shown_only else f"What will be hit ({len(preview.targets)})"
        found += [line(), line(Span(head, "head"))]
        found += [row for text in preview.lines for row in wrapped(text, width, most=2)]
    if progress.applied is not None:
        found += [line(), line(Span("What was done", "head"))]
        found += [row for text in progress.applied.lines for row in wrapped(text, width, most=3)]
    return found


def foot_lines(progress: FixProgress, width: int) -> list[Line]:
    """Where it stands, and what the keys do now."""
    return [*_state(progress, width), *key_lines(_keys(progress), width)]


def _state(progress: FixProgress, width: int) -> list[Line]:
    match progress.phase:
        case Phase.LOOKING:
            return [line(Span("Looking at what would be hit …", "muted"))]
        case Phase.BLIND:
            text = str(progress.failure) if progress.failure else ""
            return wrapped(f"✖ What would be hit could not be found out, so nothing is done. {text}", width, "bad", most=5)
        case Phase.ASKING:
            return _asking(progress, width)
        case Phase.DOING:
            return [line(Span(f"Doing it … {progress.elapsed_s:.0f} s", "accent"))]
        case Phase.VERIFYING:
            return [*_done(progress, width), *_verifying(progress.verification, width)]
        case Phase.ENDED:
            return [*_done(progress, width), *_ended(progress, width)]


def _asking(progress: FixProgress, width: int) -> list[Line]:
    preview = progress.preview
    if preview is None:
        return []
    if preview.empty:
        return wrapped(f"Nothing to do: {preview.empty}", width, "warn", most=4)
    if preview.shown_only:
        return wrapped("This is for you to do: the console shows the command and does not run it.", width, "warn")
    if preview.confirmation.asks is Asks.REFUSED:
        return wrapped(f"✖ Refused. {preview.confirmation.text}", width, "bad", most=4)
    if not progress.armed and progress.typing:
        return wrapped("▲ Writing has disarmed itself. Leave with esc, arm with w, and open this again.", width, "warn")
    if not progress.armed:
        text = "▲ Read-only. Press w to arm writing for ten minutes; this is still confirmed after that."
        return wrapped(text, width, "warn")
    if progress.refused_input:
        return wrapped(f"✖ Not confirmed: that is not “{preview.confirmation.expects}”.", width, "bad")
    return wrapped(preview.confirmation.text, width, "warn", most=4)


def _done(progress: FixProgress, width: int) -> list[Line]:
    applied = progress.applied
    if progress.failure is not None:
        return wrapped(f"✖ {progress.failure}", width, "bad", most=5)
    if applied is None:
        return []
    found: list[Line] = []
    if applied.failed is not None:
        found += wrapped(f"✖ {applied.failed}", width, "bad", most=4)
    words = "Done." if applied.done else "Nothing was changed, or only a part."
    return [*found, *wrapped(" ".join((words, *applied.lines[-2:])), width, "good" if applied.done else "warn", most=3)]


def _verifying(now: Verification | None, width: int) -> list[Line]:
    if now is None:
        return [line(Span("Checking that it holds …", "accent"))]
    if now.state is VerifyState.HOLDING:
        head = f"Holding {now.since_s:.0f}/{now.for_s:.0f} s {_bar(now.since_s, now.for_s)}"
    else:
        head = f"Not yet, {now.since_s:.0f} of {now.within_s:.0f} s {_bar(now.since_s, now.within_s)}"
    return [line(Span(head, "accent")), *wrapped(now.text, width, "muted", most=2)]


def _ended(progress: FixProgress, width: int) -> list[Line]:
    now = progress.verification
    if progress.stopped:
        return wrapped(f"▲ Stopped: {progress.stopped}", width, "warn", most=3)
    if now is None:
        return []
    if progress.held:
        return wrapped(f"✔ Verified: held for {now.for_s:.0f} s. {now.text}", width, "good", most=3)
    way_back = progress.preview.way_back if progress.preview is not None else ""
    return [
        *wrapped(f"✖ It did not hold within {now.within_s:.0f} s. {now.text}", width, "bad", most=3),
        *(wrapped(f"Way back: {way_back}", width, "", most=3) if way_back else []),
    ]


def _keys(progress: FixProgress) -> list[tuple[str, str]]:
    keys: list[tuple[str, str]] = []
    preview = progress.preview
    match progress.phase, progress.asks:
        case Phase.DOING, _:
            keys = [("s", "stops before the next target")] if progress.stoppable else [("", "this cannot be stopped half-way")]
        case Phase.VERIFYING, _:
            keys = [("s", "stops watching, the change stays")]
        case Phase.ASKING, Asks.KEY | Asks.LETTER:
            keys = [("y", "does it"), ("n esc", "does not")]
        case Phase.ASKING, Asks.TYPE:
            keys = [("enter", "does it once the text is typed"), ("esc", "does not")]
        case Phase.ASKING, None if progress.typing:
            keys = []
        case Phase.ASKING, None if preview is not None and preview.can_apply and preview.confirmation.asks is not Asks.REFUSED:
            keys = [("w", "arms writing")]
        case _:
            pass
    typing = progress.typing or progress.asks is Asks.TYPE
    busy = progress.phase in (Phase.LOOKING, Phase.DOING, Phase.VERIFYING)
    if not busy and not typing and not progress.held:
        keys += [("r", "looks again")]
    if progress.phase is Phase.ASKING and not typing and preview is not None and preview.command:
        keys += [("c", "copies the command")]
    if progress.next_fix is not None and offers_next(progress):
        keys += [("f", f"next fix: {progress.next_fix.title}")]
    if progress.asks is None and progress.phase not in (Phase.DOING, Phase.VERIFYING):
        keys += [("esc", "leaves")]
    return keys


def key_line(keys: Iterable[tuple[str, str]]) -> Line:
    """Keys and what each does now; a remark without a key has an empty one."""
    spans: list[Span] = []
    for key, words in keys:
        spans += [Span(key, "accent"), Span(f" {words}   ", "muted")] if key else [Span(f"{words}   ", "muted")]
    return line(*spans)


def key_lines(keys: Iterable[tuple[str, str]], width: int, most: int = 2) -> list[Line]:
    """The same in as many lines as it takes. What does not fit into `most` lines is left out from the end, never the way out."""
    wanted = list(keys)
    while True:
        rows: list[list[tuple[str, str]]] = [[]]
        for item in wanted:
            if rows[-1] and cell_len(key_line([*rows[-1], item]).text.rstrip()) > width:
                rows.append([])
            rows[-1].append(item)
        droppable = [index for index, (key, _words) in enumerate(wanted) if "esc" not in key.split()]
        if len(rows) <= most or not droppable:
            return [key_line(row) for row in rows[:most]]
        del wanted[droppable[-1]]


def offers_next(progress: FixProgress) -> bool:
    """Whether the next fix is worth offering: this one has nothing to do, cannot be made, or did not hold."""
    preview = progress.preview
    if progress.phase is Phase.ENDED:
        return not progress.held
    return progress.phase is Phase.BLIND or (progress.phase is Phase.ASKING and preview is not None and not preview.can_apply)


def _labelled(label: str, text: str, width: int, style: str = "") -> list[Line]:
    if not text:
        return []
    # What would be typed is read before it is agreed to: to its end, for the page can be scrolled.
    first, *rest = wrapped(text, max(10, width - 10), style, most=40)
    indent = " " * 10
    return [line(Span(fitted(label, 10), "muted"), *first.spans), *(line(indent, *row.spans) for row in rest)]


def _bar(value: float, whole: float) -> str:
    full = 0 if whole <= 0 else max(0, min(10, round(10 * value / whole)))
    return "■" * full + "□" * (10 - full)
