"""Which containers' lines are shown: one, several or all."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import SelectionList
from textual.widgets.selection_list import Selection as Choice


class LogChoice(SelectionList[str]):
    """A list of containers; space takes one in or out, `o` only the one under the cursor, `a` all, enter is done."""

    DEFAULT_CSS = """
    LogChoice { height: auto; max-height: 50%; border: none; border-top: solid $primary; padding: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "done", "Done", id="choice.done"),
        Binding("o", "only", "Only this", id="choice.only"),
        Binding("a", "all", "All", id="choice.all"),
    ]

    class Chosen(Message):
        """`names` are to be shown; None: all."""

        def __init__(self, names: frozenset[str] | None) -> None:
            self.names = names
            super().__init__()

    def offer(self, names: Iterable[str], silent: Iterable[str], chosen: frozenset[str] | None) -> None:
        """Offer containers; the `silent` ones have not written anything yet."""
        self.clear_options()
        self.border_title = "space: in or out · o: only this · a: all · enter: done"
        for name in names:
            self.add_option(Choice(Content(name), name, chosen is None or name in chosen))
        for name in silent:
            self.add_option(Choice(Content(f"{name} (silent)"), name, chosen is None or name in chosen))
        if self.option_count:
            self.highlighted = 0

    def action_done(self) -> None:
        chosen = frozenset(self.selected)
        everything = not chosen or len(chosen) == self.option_count
        self.post_message(self.Chosen(None if everything else chosen))

    def action_only(self) -> None:
        if self.highlighted is not None:
            self.post_message(self.Chosen(frozenset({self.get_option_at_index(self.highlighted).value})))

    def action_all(self) -> None:
        self.post_message(self.Chosen(None))
