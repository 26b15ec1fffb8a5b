"""Every key, from the table of commands: first what works here."""

from collections.abc import Collection, Iterator, Sequence

from screens.page import Lines
from widgets.commands import COMMANDS, Scope, key_words
from widgets.line import Line, Span, fitted, line, wrapped

_TITLES = {
    Scope.CONTAINERS: "On a container",
    Scope.POSTGRES: "On a PostgreSQL session",
    Scope.REDIS: "On Redis",
    Scope.LOG_LINES: "On a log line",
    Scope.LOGS: "In the logs",
    Scope.LIST: "In a list",
    Scope.DASHBOARD: "On the dashboard",
    Scope.PICKER: "In the issue picker",
    Scope.WALK: "In a walk",
    Scope.CONFIRM: "Before a change",
    Scope.TOOLKIT: "In the toolkit",
    Scope.DAILY: "In the morning check",
    Scope.PROCEDURES: "In the procedures",
    Scope.DRILL: "In a drill",
    Scope.FACILITATE: "As a facilitator",
    Scope.CHOICE: "In a list to choose from",
    Scope.REVIEW: "In the review of a drill",
    Scope.REPLAY: "In a replay",
    Scope.EVERYWHERE: "Everywhere",
}


def help_lines(here: Collection[str]) -> Lines:
    """Lines for the help page. `here` are the identities of the commands that work now: their sections come first."""
    working = {command.scope for command in COMMANDS if command.id in here}
    scopes = sorted(_TITLES, key=lambda scope: scope not in working)

    def make(width: int) -> Sequence[Line]:
        lines: list[Line] = []
        for scope in scopes:
            lines.append(line(Span(_TITLES[scope], "head"), Span("" if scope in working else "  (not here)", "muted")))
            for command in COMMANDS:
                if command.scope is scope:
                    risk = f" ({command.risk}: asks first)" if command.risk != "R0" else ""
                    lines += _row(key_words(command.keys), command.help + risk, width)
            lines.append(line())
        lines.append(line(Span("Marks", "head")))
        lines += _row("▲  ✖", "over its alert limit; over its critical limit, or down (colour says the same)", width)
        lines += _row("?  –", "not known; does not apply", width)
        return lines

    return make


def _row(keys: str, words: str, width: int) -> Iterator[Line]:
    for number, part in enumerate(wrapped(words, max(10, width - 20))):
        yield line(Span(f"  {fitted('' if number else keys, 18)}", "accent"), *part.spans)
