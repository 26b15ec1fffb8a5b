"""Every key in one table: bindings, the footer, the palette and the help all come from it."""

from dataclasses import dataclass
from enum import StrEnum

from textual.binding import Binding, BindingType


class Scope(StrEnum):
    """Where a command works. A pane's commands need its focus."""

    EVERYWHERE = "everywhere"
    DASHBOARD = "dashboard"
    LIST = "any list"
    CONTAINERS = "containers"
    POSTGRES = "PostgreSQL"
    REDIS = "Redis"
    LOGS = "logs"
    LOG_LINES = "log lines"
    PICKER = "issue picker"
    WALK = "walk"
    CONFIRM = "confirmation"
    TOOLKIT = "toolkit"
    DAILY = "morning check"
    PROCEDURES = "procedures"
    DRILL = "drill"
    CHOICE = "choice"
    FACILITATE = "facilitator"
    REVIEW = "review"
    REPLAY = "replay"


@dataclass(frozen=True, slots=True)
class Command:
    """One thing an operator can do.

    `words` stand in the footer (empty: not there), `help` in the help and the palette. `risk` is R0 for looking; a command
    that changes something goes through preview and confirmation whatever stands here.
    """

    id: str
    keys: str
    action: str
    words: str
    help: str
    scope: Scope
    risk: str = "R0"
    palette: bool = True
    priority: bool = False

    def binding(self) -> Binding:
        return Binding(
            self.keys,
            self.action,
            self.words or self.help,
            show=bool(self.words),
            id=self.id,
            priority=self.priority,
            tooltip=self.help,
        )


_E, _D, _L, _C, _P = Scope.EVERYWHERE, Scope.DASHBOARD, Scope.LIST, Scope.CONTAINERS, Scope.POSTGRES
_T, _DRILL, _CHOICE = Scope.TOOLKIT, Scope.DRILL, Scope.CHOICE
_LOGS, _LINES, _PICKER, _WALK, _CONFIRM = Scope.LOGS, Scope.LOG_LINES, Scope.PICKER, Scope.WALK, Scope.CONFIRM

COMMANDS = (
    Command("app.quit", "q,ctrl+q", "quit", "quit", "Leave Triage", _E),
    Command("app.quit-now", "ctrl+c", "quit", "", "Leave Triage, also out of a text field", _E, palette=False, priority=True),
    Command(
        "app.suspend", "ctrl+z", "suspend_process", "", "Put Triage to sleep, back to the shell (fg wakes it)", _E, priority=True
    ),
    Command("app.help", "question_mark,f1", "help", "keys", "Every key that works here", _E),
    Command("app.palette", "ctrl+p", "command_palette", "palette", "Find a command by its name", _E, palette=False),
    Command("app.arm", "w", "arm", "arm", "Arm writing for ten minutes (asks), or disarm it", _E),
    Command(
        "app.drill", "D", "drill", "drill", "The drill: brief, reports, diagnosis, hints (only in a drill)", _E, priority=True
    ),
    Command("dashboard.issues", "g", "issues", "issues", "Issue picker; g c 2 walks issue c2", _D, priority=True),
    Command("dashboard.containers", "1", "pane('containers')", "", "Focus the containers", _D, priority=True),
    Command("dashboard.postgres", "2", "pane('postgres')", "", "Focus PostgreSQL", _D, priority=True),
    Command("dashboard.redis", "3", "pane('redis')", "", "Focus Redis", _D, priority=True),
    Command("dashboard.logs", "4", "pane('logs')", "", "Focus the logs", _D, priority=True),
    Command("dashboard.latency", "5", "pane('latency')", "", "Focus latency", _D, priority=True),
    Command("dashboard.zoom", "z", "zoom", "zoom", "Give the focused pane the whole screen, and back", _D, priority=True),
    Command(
        "dashboard.filter",
        "slash",
        "filter",
        "filter",
        "Filter the focused pane by text or regular expression",
        _D,
        priority=True,
    ),
    Command(
        "dashboard.toolkit",
        "x",
        "toolkit",
        "tools",
        "Toolkit: errors, environments, networks, traces, tables, statements",
        _D,
        priority=True,
    ),
    Command("dashboard.daily", "d", "daily", "", "The morning check: expected, actual, and what to do", _D, priority=True),
    Command("dashboard.procedures", "p", "procedures", "", "Procedures: backup, restore, roll back, lists", _D, priority=True),
    Command("dashboard.back", "escape", "back", "", "Take the filter or the zoom away", _D, palette=False),
    Command("list.up", "up", "cursor(-1)", "", "One up", _L, palette=False),
    Command("list.down", "down", "cursor(1)", "", "One down", _L, palette=False),
    Command("list.page-up", "pageup", "cursor_page(-1)", "", "One page up", _L, palette=False),
    Command("list.page-down", "pagedown", "cursor_page(1)", "", "One page down", _L, palette=False),
    Command("list.first", "home", "cursor(-1000000)", "", "To the first", _L, palette=False),
    Command("list.last", "end", "cursor(1000000)", "", "To the last", _L, palette=False),
    Command("containers.details", "enter", "details", "details", "Health output, error, limits, networks of this container", _C),
    Command("containers.logs", "l", "follow", "its log", "Follow only this container's log; again: all of them", _C),
    Command("containers.start", "s", "screen.container('start')", "start", "Start this container", _C, "R2"),
    Command("containers.stop", "t", "screen.container('stop')", "stop", "Stop this container", _C, "R2"),
    Command("containers.restart", "r", "screen.container('restart')", "restart", "Restart this container", _C, "R2"),
    Command("containers.sort", "o", "sort(1)", "order", "Sort by the next column", _C),
    Command("containers.sort-back", "O", "sort(-1)", "", "Sort by the column before", _C),
    Command(
        "postgres.details", "enter", "screen.statement", "details", "The whole statement, waits and client of this session", _P
    ),
    Command("postgres.cancel", "k", "screen.session('cancel')", "cancel", "Cancel this session's statement", _P, "R2"),
    Command("postgres.end", "K", "screen.session('end')", "end", "End this session", _P, "R3"),
    Command(
        "redis.details", "enter", "screen.cache", "details", "Redis' clients and its memory and latency doctors", Scope.REDIS
    ),
    Command("logs.pause", "space", "pause", "pause", "Stand still without losing a line, or follow again", _LINES),
    Command("logs.up", "up,k", "move(-1)", "", "Up one line", _LINES, palette=False),
    Command("logs.down", "down,j", "move(1)", "", "Down one line", _LINES, palette=False),
    Command("logs.page-up", "pageup", "page(-1)", "", "One page up", _LINES, palette=False),
    Command("logs.page-down", "pagedown", "page(1)", "", "One page down", _LINES, palette=False),
    Command("logs.oldest", "home", "oldest", "", "To the oldest line", _LINES, palette=False),
    Command("logs.newest", "end", "newest", "", "To the newest line, and follow", _LINES, palette=False),
    Command("logs.left", "left", "sideways(-1)", "", "The beginning of long lines", _LINES, palette=False),
    Command("logs.right", "right", "sideways(1)", "", "The rest of long lines", _LINES, palette=False),
    Command("logs.newest-error", "e", "newest_error", "error", "To the newest error", _LINES),
    Command("logs.previous-error", "E", "previous_error", "", "To the error before", _LINES),
    Command("logs.next-match", "n", "match(1)", "", "To the next line that the filter finds", _LINES),
    Command("logs.previous-match", "N", "match(-1)", "", "To the line before that the filter finds", _LINES),
    Command("logs.wrap", "W", "wrap", "wrap", "Break long lines, or cut them", _LINES),
    Command("logs.open", "enter", "open", "", "Show the whole line and how often its like came", _LINES),
    Command("logs.issue", "i", "issue", "issue", "Walk the issue that this line is an error text of", _LINES),
    Command("logs.filter", "slash", "filter", "filter", "Filter the lines by a regular expression", _LOGS, palette=False),
    Command("logs.hides", "m", "hides", "hide/mark", "Hide what the filter does not find, or mark what it does", _LOGS),
    Command("logs.choose", "c", "choose", "containers", "Choose the containers whose lines are shown", _LOGS),
    Command("logs.save", "s", "save", "save", "Write the shown lines to a new file", _LOGS),
    Command("logs.copy", "y", "copy", "", "Copy the line to the terminal's clipboard", _LOGS),
    Command("logs.close", "escape", "close", "", "Close what is open, then take the filter away", _LOGS, palette=False),
    Command("confirm.yes", "y", "confirm", "", "Make the change (where its risk asks for one key)", _CONFIRM, palette=False),
    Command("confirm.no", "escape,n", "leave", "", "Leave without it", _CONFIRM, palette=False),
    Command("confirm.stop", "s", "stop", "", "Stop where nothing is left half done", _CONFIRM, palette=False),
    Command("confirm.again", "r", "again", "", "Look again at what would be hit", _CONFIRM, palette=False),
    Command("confirm.next", "f", "next", "", "The next fix, when this one will not do", _CONFIRM, palette=False),
    Command("confirm.arm", "w", "arm", "", "Arm writing for ten minutes (asks)", _CONFIRM, palette=False),
    Command("confirm.copy", "c", "copy", "", "Copy the command that a person would type", _CONFIRM, palette=False),
    Command("confirm.up", "up", "scroll(-1)", "", "Scroll up", _CONFIRM, palette=False),
    Command("confirm.down", "down", "scroll(1)", "", "Scroll down", _CONFIRM, palette=False),
    Command("confirm.page-up", "pageup", "page(-1)", "", "A page up", _CONFIRM, palette=False),
    Command("confirm.page-down", "pagedown", "page(1)", "", "A page down", _CONFIRM, palette=False),
    *(
        Command(f"toolkit.{number}", str(number), f"tool({number})", "", words, _T, palette=False)
        for number, words in enumerate(
            (
                "Errors by kind, with first and last time",
                "Errors one by one",
                "The environment of a service, secrets hidden",
                "Who reaches whom between the containers",
                "One request through all logs, by its id",
                "Sizes of the tables",
                "The slowest statements",
            ),
            1,
        )
    ),
    Command("toolkit.next", "tab", "next(1)", "", "The next tool", _T, palette=False),
    Command("toolkit.previous", "shift+tab", "next(-1)", "", "The tool before", _T, palette=False),
    Command("toolkit.choose", "right", "choose(1)", "", "The next window of time, or service", _T, palette=False),
    Command("toolkit.choose-back", "left", "choose(-1)", "", "The window of time, or service before", _T, palette=False),
    Command("toolkit.open", "enter", "open", "open", "The whole row; of an id: its trace", _T, palette=False),
    Command("toolkit.filter", "slash", "filter", "filter", "Filter the rows by text or regular expression", _T, palette=False),
    Command("toolkit.id", "i", "id", "id", "Trace the request with this id", _T, palette=False),
    Command("toolkit.copy", "y", "copy", "copy", "Copy the row to the terminal's clipboard", _T, palette=False),
    Command("toolkit.again", "r", "again", "again", "Ask again", _T, palette=False),
    Command("toolkit.leave", "escape", "leave", "back", "Take the filter away, then leave", _T, palette=False),
    Command("daily.again", "r", "again", "again", "Ask everything again", Scope.DAILY, palette=False),
    Command("daily.copy", "y", "copy", "copy", "Copy the check as Markdown", Scope.DAILY, palette=False),
    Command("daily.save", "s", "save", "save", "Keep the check as Markdown in the state folder", Scope.DAILY, palette=False),
    Command("daily.issues", "g", "issues", "issues", "Issue picker; g c 2 walks issue c2", Scope.DAILY, palette=False),
    Command("daily.up", "up,k", "scroll(-1)", "", "One line up", Scope.DAILY, palette=False),
    Command("daily.down", "down,j", "scroll(1)", "", "One line down", Scope.DAILY, palette=False),
    Command("daily.page-up", "pageup", "page(-1)", "", "One page up", Scope.DAILY, palette=False),
    Command("daily.page-down", "pagedown,space", "page(1)", "", "One page down", Scope.DAILY, palette=False),
    Command("daily.leave", "escape", "leave", "back", "Leave the morning check", Scope.DAILY, palette=False),
    Command("procedures.on", "enter", "on", "go on", "Open the procedure; make the step", Scope.PROCEDURES, palette=False),
    Command("procedures.tick", "t", "tick", "tick", "Tick a step that was done by hand", Scope.PROCEDURES, palette=False),
    Command("procedures.up", "up,k", "move(-1)", "", "One up", Scope.PROCEDURES, palette=False),
    Command("procedures.down", "down,j", "move(1)", "", "One down", Scope.PROCEDURES, palette=False),
    Command("procedures.leave", "escape", "leave", "back", "To the list, then leave", Scope.PROCEDURES, palette=False),
    Command(
        "drill.acknowledge", "a", "acknowledge", "", "Acknowledge: something is wrong, and you are on it", _DRILL, palette=False
    ),
    Command("drill.diagnose", "c", "diagnose", "", "Hand in the cause, or change it", _DRILL, palette=False),
    Command("drill.hint", "h", "hint", "", "Take a hint; what it costs is shown first", _DRILL, palette=False),
    Command("drill.give-up", "G", "give_up", "", "Give the round up (asks)", _DRILL, palette=False),
    Command("drill.review", "enter", "review", "", "The review, when the round is over", _DRILL, palette=False),
    Command("drill.up", "up,k", "scroll(-1)", "", "One line up", _DRILL, palette=False),
    Command("drill.down", "down,j", "scroll(1)", "", "One line down", _DRILL, palette=False),
    Command("drill.page-up", "pageup", "page(-1)", "", "One page up", _DRILL, palette=False),
    Command("drill.page-down", "pagedown,space", "page(1)", "", "One page down", _DRILL, palette=False),
    Command("drill.leave", "escape", "leave", "back", "Back to where you were; D comes again", _DRILL, palette=False),
    Command("choice.mark", "space", "mark", "", "Mark it, or take the mark away", _CHOICE, palette=False),
    Command("choice.take", "enter", "take", "", "Take what is marked, or what the cursor stands on", _CHOICE, palette=False),
    Command("choice.search", "slash", "search", "", "Search ids and words", _CHOICE, palette=False),
    Command("choice.up", "up", "cursor(-1)", "", "One up", _CHOICE, palette=False),
    Command("choice.down", "down", "cursor(1)", "", "One down", _CHOICE, palette=False),
    Command("choice.page-up", "pageup", "page(-1)", "", "One page up", _CHOICE, palette=False),
    Command("choice.page-down", "pagedown", "page(1)", "", "One page down", _CHOICE, palette=False),
    Command("choice.leave", "escape", "leave", "", "Close the search, then leave the list", _CHOICE, palette=False),
    Command("review.save", "s", "save", "save", "Keep the post-incident report as Markdown in the round's folder", Scope.REVIEW),
    Command("review.copy", "y", "copy", "copy", "Copy the post-incident report as Markdown", Scope.REVIEW),
    Command("review.replay", "R", "replay", "replay", "How to see the round again in the panes", Scope.REVIEW),
    Command("review.up", "up,k", "scroll(-1)", "", "One line up", Scope.REVIEW, palette=False),
    Command("review.down", "down,j", "scroll(1)", "", "One line down", Scope.REVIEW, palette=False),
    Command("review.page-up", "pageup", "page(-1)", "", "One page up", Scope.REVIEW, palette=False),
    Command("review.page-down", "pagedown,space", "page(1)", "", "One page down", Scope.REVIEW, palette=False),
    Command("review.leave", "escape", "leave", "back", "Leave the review", Scope.REVIEW, palette=False),
    Command("replay.pause", "space", "pause", "pause", "Stand still, or play on", Scope.REPLAY, priority=True),
    Command("replay.faster", "plus,equals_sign", "faster(1)", "faster", "Play twice as fast", Scope.REPLAY, priority=True),
    Command("replay.slower", "minus", "faster(-1)", "slower", "Play half as fast", Scope.REPLAY, priority=True),
    Command("replay.next", "right_square_bracket", "mark(1)", "next mark", "To what happened next", Scope.REPLAY, priority=True),
    Command("replay.previous", "left_square_bracket", "mark(-1)", "", "To what happened before", Scope.REPLAY, priority=True),
    Command("replay.forward", "full_stop", "move(10)", "", "Ten seconds on", Scope.REPLAY, priority=True),
    Command("replay.back", "comma", "move(-10)", "", "Ten seconds back", Scope.REPLAY, priority=True),
    Command("facilitate.fault", "a", "fault", "add a fault", "Break one more thing now", Scope.FACILITATE, "R3"),
    Command("facilitate.report", "r", "report", "report", "Let the trainee hear what a user says", Scope.FACILITATE),
    Command("facilitate.message", "m", "message", "message", "Say something to the trainee", Scope.FACILITATE),
    Command("facilitate.freeze", "f", "freeze", "freeze/thaw", "Let the round's clock stand, or go on", Scope.FACILITATE),
    Command("facilitate.abort", "A", "abort", "abort", "End the round and mend the stack (asks)", Scope.FACILITATE),
    Command("facilitate.leave", "escape", "leave", "", "Close the text field", Scope.FACILITATE, palette=False),
    Command("facilitate.up", "up", "scroll(-1)", "", "Scroll up", Scope.FACILITATE, palette=False),
    Command("facilitate.down", "down", "scroll(1)", "", "Scroll down", Scope.FACILITATE, palette=False),
    Command("facilitate.page-up", "pageup", "page(-1)", "", "A page up", Scope.FACILITATE, palette=False),
    Command("facilitate.page-down", "pagedown", "page(1)", "", "A page down", Scope.FACILITATE, palette=False),
    Command("picker.walk", "enter", "walk", "", "Walk the issue under the cursor", _PICKER, palette=False),
    Command("picker.search", "slash", "search", "", "Search titles, symptoms and error texts", _PICKER, palette=False),
    Command("picker.up", "up", "cursor(-1)", "", "One up", _PICKER, palette=False),
    Command("picker.down", "down", "cursor(1)", "", "One down", _PICKER, palette=False),
    Command("picker.page-up", "pageup", "page(-1)", "", "One page up", _PICKER, palette=False),
    Command("picker.page-down", "pagedown", "page(1)", "", "One page down", _PICKER, palette=False),
    Command("picker.first", "home", "cursor(-1000)", "", "To the first", _PICKER, palette=False),
    Command("picker.last", "end", "cursor(1000)", "", "To the last", _PICKER, palette=False),
    Command("picker.leave", "escape,q", "leave", "", "Close the search, then the picker", _PICKER, palette=False),
    Command("walk.on", "enter", "on", "", "Make the next check, or open the fix", _WALK, palette=False),
    Command("walk.all", "a", "all", "", "Go on until something must be decided", _WALK, palette=False),
    Command("walk.back", "b", "back", "", "Take the last step back", _WALK, palette=False),
    Command("walk.override", "o", "override", "", "Take another arm, by your own judgement; it is marked", _WALK, palette=False),
    Command("walk.note", "n", "note", "", "Keep a note with this step", _WALK, palette=False),
    Command("walk.escalate", "exclamation_mark", "escalate", "", "What to say to whom", _WALK, palette=False),
    Command("walk.copy", "y", "copy", "", "Copy the command that a person would type", _WALK, palette=False),
    Command("walk.log", "l", "log", "", "This step's line in the log; its chord comes back to the walk", _WALK, palette=False),
    Command("walk.fix", "f", "fix", "", "Open the chosen fix", _WALK, palette=False),
    Command("walk.stop", "s", "stop", "", "Stop the check that is being made", _WALK, palette=False),
    Command("walk.again", "r", "again", "", "Walk again from the start", _WALK, palette=False),
    Command("walk.inputs", "I", "inputs", "", "What was given in this incident, and forgetting it", _WALK, palette=False),
    Command("walk.issues", "g", "issues", "", "The other issues", _WALK, palette=False),
    Command("walk.up", "up", "select(-1)", "", "The step before", _WALK, palette=False),
    Command("walk.down", "down", "select(1)", "", "The step after", _WALK, palette=False),
    Command("walk.page-up", "pageup", "page(-1)", "", "The evidence, a page up", _WALK, palette=False),
    Command("walk.page-down", "pagedown", "page(1)", "", "The evidence, a page down", _WALK, palette=False),
    Command("walk.leave", "escape", "leave", "", "Leave the walk; it stays in the journal", _WALK, palette=False),
)


def bindings(*scopes: Scope) -> list[BindingType]:
    """The bindings of some scopes, for a widget's or a screen's BINDINGS."""
    return [command.binding() for command in COMMANDS if command.scope in scopes]


_ON_A_KEYBOARD = {
    "question_mark": "?",
    "slash": "/",
    "exclamation_mark": "!",
    "pageup": "page up",
    "pagedown": "page down",
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
    "full_stop": ".",
    "comma": ",",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
}


def key_words(keys: str) -> str:
    """Keys as they stand on a keyboard: `ctrl+p`, `?`, `/`."""
    return " ".join(_ON_A_KEYBOARD.get(key, key) for key in keys.split(","))
