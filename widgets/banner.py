"""The top line: which system, how dangerous, what is worst now, and the time. A drill and a replay have a second line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.reactive import reactive

from console.alarms import Alarm
from console.config import Environment
from console.severity import Severity
from widgets.line import Line, Span, fitted, line, severity_style
from widgets.sheet import Sheet

if TYPE_CHECKING:
    from widgets.drill_lines import DrillNews
    from widgets.replay_line import ReplayNews


@dataclass(frozen=True, slots=True)
class News:
    """What the banner says. `now` is Unix seconds, `armed_s` the seconds until writing disarms itself (0: read-only)."""

    name: str
    title: str
    environment: Environment
    now: float
    armed_s: float = 0.0
    alarm: Alarm | None = None
    others: int = 0
    host: str = ""
    asking: bool = False
    """Some source has not answered for the first time yet: nothing is known to be well."""
    drill: "DrillNews | None" = None
    """The round that the console attends."""
    replay: "ReplayNews | None" = None
    """The recording that is played."""


class Banner(Sheet):
    """One line, drawn from `news`; two in a drill or a replay."""

    DEFAULT_CSS = """
    Banner {
        height: 1;
        &.-two { height: 2; }
        background: $panel;
        &.-lab, &.-simulated { background: $primary-muted; }
        &.-staging { background: $warning-muted; }
        &.-production { background: $error-muted; }
        & > .sheet--good { color: $text-success; }
        & > .sheet--warn { color: $text-warning; }
        & > .sheet--bad { color: $text-error; }
    }
    """

    news: reactive[News | None] = reactive(None, init=False, repaint=False)

    def watch_news(self, news: News | None) -> None:
        if news is not None:
            for environment in Environment:
                self.set_class(environment is news.environment, f"-{environment}")
            self.set_class(news.drill is not None or news.replay is not None, "-two")
        self.redraw()

    def draw(self, width: int, height: int) -> Sequence[Line]:
        del height
        if self.news is None:
            return []
        lines = [_line(self.news, width)]
        if self.news.drill is not None:
            from widgets.drill_lines import drill_line

            lines.append(drill_line(self.news.drill, width))
        if self.news.replay is not None:
            from widgets.replay_line import replay_line

            lines.append(replay_line(self.news.replay, width))
        return lines


def _line(news: News, width: int) -> Line:
    if news.environment is Environment.SIMULATED:
        environment = Span("SIMULATED", "strong")
    else:
        environment = Span(news.environment.upper(), "bad" if news.environment is Environment.PRODUCTION else "strong")
    if news.armed_s > 0:
        minutes = max(1, round(news.armed_s / 60))
        writing = Span(f"WRITING ARMED {minutes} min", "bad")
    else:
        writing = Span("read-only", "good")
    right = [writing, Span("  ")]
    if news.host and width >= 120:
        right += [Span(news.host, "muted"), Span("  ")]
    right.append(Span(datetime.fromtimestamp(news.now).strftime("%H:%M "), "strong"))
    left = [Span(f" {news.title if width >= 100 else news.name} ", "strong"), environment, Span("  ")]
    room = width - sum(cell_len(span.text) for span in (*left, *right)) - 1
    return line(*left, *_alarm(news, max(0, room)), *right)


def _alarm(news: News, room: int) -> tuple[Span, ...]:
    if news.alarm is not None:
        more = f" (+{news.others})" if news.others else ""
        word = "CRITICAL " if news.alarm.severity is Severity.CRITICAL and room > 40 else ""
        text = f"{news.alarm.severity.glyph} {word}{news.alarm.text}"
        return (
            Span(fitted(fitted(text, min(cell_len(text), room - len(more))) + more, room), severity_style(news.alarm.severity)),
            Span(" "),
        )
    if news.asking:
        return (Span(fitted("asking…", room), "muted"), Span(" "))
    return (Span(fitted("✓ nothing over its limits", room), "good"), Span(" "))
