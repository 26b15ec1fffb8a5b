"""Every key, from the table of commands and from what the focused part adds."""

from collections.abc import Iterable, Sequence

from textual.binding import Binding

from screens.page import Lines
from widgets.commands import COMMANDS, Scope, key_words
from widgets.line import Line, Span, fitted, line

_TITLES = {
    Scope.EVERYWHERE: "Everywhere",
    Scope.DASHBOARD: "On the dashboard",
    Scope.LIST: "In a list",
    Scope.CONTAINERS: "On a container",
    Scope.POSTGRES: "On a PostgreSQL session",
}


def help_lines(focused: str, here: Iterable[Binding]) -> Lines:
    """Lines for the help page. `here` are bindings that no table row declares: a part's own keys."""
    known = {command.id for command in COMMANDS}
    own = [binding for binding in here if (binding.id or "") not in known and not binding.system]

    def make(width: int) -> Sequence[Line]:
        lines: list[Line] = []
        if own:
            lines += [line(Span(f"In the focused part: {focused}", "head"))]
            lines += [_row(key_words(binding.key), binding.description, width) for binding in own]
            lines.append(line())
        for scope, title in _TITLES.items():
            lines.append(line(Span(title, "head")))
            for command in COMMANDS:
                if command.scope is scope:
                    risk = f" ({command.risk}: asks first)" if command.risk != "R0" else ""
                    lines.append(_row(key_words(command.keys), command.help + risk, width))
            lines.append(line())
        lines.append(line(Span("Marks", "head")))
        lines.append(_row("▲  ✖", "over its alert limit, over its critical limit or down (colour says the same)", width))
        lines.append(_row("?  –", "not known; does not apply", width))
        return lines

    return make


def _row(keys: str, words: str, width: int) -> Line:
    return line(Span(f"  {fitted(keys, 18)}", "accent"), Span(fitted(words, max(10, width - 20))))
