"""One line that is typed into: a note, an answer, an input. What is wrong with it stands below, and it stays open."""

from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.binding import NoBinding
from textual.containers import Vertical
from textual.events import Key, Paste
from textual.message import Message
from textual.widgets import Input, Static

LONGEST = 20_000
"""Characters that are taken: more than the longest token. Textual draws the whole value anew for every key."""


class _Field(Input):
    async def _on_key(self, event: Key) -> None:
        """Textual runs a widget's bindings only after the keys that came in the same packet: a backspace would take the
        character that was typed after it, unseen where the value is masked. Here each key is done when it is its turn."""
        try:
            actions = [binding.action for binding in self._bindings.get_bindings_for_key(event.key)]
        except NoBinding:
            return
        event.prevent_default()
        event.stop()
        for action in actions:
            await self.run_action(action)

    def _on_paste(self, event: Paste) -> None:
        """Textual hands control characters of its value to the terminal, and takes of a longer text nothing without a word."""
        text = event.text.strip("\r\n")
        wrong = ""
        if len(text) > LONGEST:
            wrong = f"What was pasted has {len(text):,} characters; at most {LONGEST:,} are taken."
        elif not text.isprintable():
            wrong = "What was pasted holds several lines or control characters."
        if wrong:
            event.prevent_default()
            event.stop()
            self.post_message(Asking.Refused(wrong))


class Asking(Vertical):
    """Closed until `ask`. Posts `Given` when enter is pressed; whoever asked calls `close` or `refuse`."""

    DEFAULT_CSS = """
    Asking {
        display: none; height: auto;
        &.-open { display: block; }
        & > Input { height: 1; border: none; padding: 0 1; background: $panel; }
        & > Static { height: auto; max-height: 3; padding: 0 1; color: $error; text-style: bold; display: none; }
        &.-refused > Static { display: block; }
    }
    """

    @dataclass
    class Given(Message):
        text: str

    @dataclass
    class Refused(Message):
        """What was pasted is not taken, and why."""

        why: str

    def __init__(self) -> None:
        super().__init__(id="asking")
        self._field = _Field(id="typed", compact=True, max_length=LONGEST)
        self._wrong = Static(markup=False)

    def compose(self) -> ComposeResult:
        yield self._field
        yield self._wrong

    @property
    def is_open(self) -> bool:
        return self.has_class("-open")

    def ask(self, hint: str, *, value: str = "", secret: bool = False) -> None:
        """Open the field. `hint` stands in it while it is empty; a secret is masked."""
        self._field.password = secret
        self._field.placeholder = hint
        self._field.value = value
        self.remove_class("-refused")
        self.add_class("-open")
        self._field.focus()

    def refuse(self, why: str) -> None:
        """Leave it open and say why what was typed is not taken."""
        self._wrong.update(why)
        self.add_class("-refused")

    def close(self) -> None:
        self.remove_class("-open", "-refused")
        # A secret does not stay in a field that nobody sees.
        self._field.value = ""
        self.screen.set_focus(None)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Given(event.value))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.remove_class("-refused")

    @on(Refused)
    def _refused(self, message: Refused) -> None:
        message.stop()
        self.refuse(message.why)
