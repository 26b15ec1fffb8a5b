"""A drill as the console attends it: follows what the referee tells, tells it on, and writes down what the trainee does."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from console.practice.drill.attending import Attending
from console.practice.drill.rounds import Entry, Round
from console.practice.drill.seen import Seen
from widgets.drill_lines import DrillNews
from widgets.line import wrapped

if TYPE_CHECKING:
    from screens.app import TriageApp
    from screens.walk import WalkScreen

POLL_S = 0.5
TOAST_S = 6.0
"""A toast lies over the lower right; what it said stands in the line under the banner."""
DESERTED_AFTER = 6
"""So many polls in a row a round has no referee before it is said: a new one may just be taking it over."""
DESERTED = "The referee of this round is gone. `triage drill heal` mends the stack."
NO_TREES = "This round is played without the trees: find the cause with the panes and the tools alone, then D and c."


class Attendance:
    """One round in one console. Screens ask `seen` and call what the trainee does; nothing here knows the truth."""

    def __init__(self, app: "TriageApp", round_: Round) -> None:
        self._app = app
        self._attending = Attending(round_, app.system.clock)
        self._deserted = 0

    @property
    def round(self) -> Round:
        return self._attending.round

    @property
    def seen(self) -> Seen:
        return self._attending.seen

    @property
    def without_trees(self) -> bool:
        """Whether the console offers no tree as long as this round goes on."""
        return self.seen.hide_steps and self.seen.how is None

    def news(self) -> DrillNews:
        """What the banner and the drill's screen show now."""
        clock_s = self.seen.clock_s(self._app.system.clock())
        trouble = self._attending.trouble or (DESERTED if self._deserted >= DESERTED_AFTER else "")
        return DrillNews(self.seen, None if clock_s is None else int(clock_s), trouble)

    async def follow(self) -> None:
        """Join, then read again and again until the round has ended."""
        self._tell_on(await self._attending.read(), quiet=True)
        await self._attending.join()
        self._changed()
        while self.seen.how is None:
            news = await self._attending.read()
            deserted = await self._attending.deserted()
            self._deserted = self._deserted + 1 if deserted else 0
            if news:
                self._tell_on(news)
                self._changed()
            await asyncio.sleep(POLL_S)
        self._offer_review()

    def _tell_on(self, news: tuple[Entry, ...], *, quiet: bool = False) -> None:
        """New reports, hints and messages as toasts. What was said before this console came stands on the drill's screen, and so
        does everything as long as that is shown."""
        from screens.drill import DrillScreen

        self._app.told = {**self.seen.told, **self._app.told}
        if quiet or isinstance(self._app.screen, DrillScreen):
            return
        for entry in news:
            words = _words(entry)
            if words:
                self._app.notify(words[1], title=words[0], timeout=TOAST_S, markup=False)

    def _changed(self) -> None:
        from screens.drill import DrillScreen

        self._app.tell()
        for screen in self._app.screen_stack:
            if isinstance(screen, DrillScreen):
                screen.redraw()

    # -- what is shown ------------------------------------------------------------------------------------------------

    def show(self) -> None:
        """The drill's screen; when it is shown, what was there before."""
        from screens.drill import DrillScreen

        if isinstance(self._app.screen, DrillScreen):
            self._app.screen.dismiss()
        else:
            self._app.push_screen(DrillScreen(self))

    def refuses_trees(self) -> bool:
        """Say that this round is played without the trees, if it is; whether it is."""
        if self.without_trees:
            from screens.page import Page

            self._app.push_screen(Page("No trees in this round", lambda width: wrapped(NO_TREES, width)))
        return self.without_trees

    def open_review(self) -> None:
        """The review of a round that has ended."""
        from screens.review import ReviewScreen

        self._app.push_screen(ReviewScreen(self.round))

    def _offer_review(self) -> None:
        from screens.drill import RoundOver

        def answered(yes: bool | None) -> None:
            if yes:
                self.open_review()

        self._app.push_screen(RoundOver(self.seen), answered)

    # -- what the trainee does ----------------------------------------------------------------------------------------

    async def write(self, kind: str, details: Mapping[str, Any]) -> None:
        """Write an entry; the first that cannot be written is told, and the round goes on."""
        was_well = not self._attending.trouble
        if not await self._attending.write(kind, details) and was_well:
            self._app.notify(self._attending.trouble, severity="error", timeout=12, markup=False)
        self._changed()

    async def record(self, kind: str, details: Mapping[str, Any]) -> None:
        """Write down what the journal has; a change belongs to the issue whose walk is open."""
        walk = self._walk()
        await self.write(kind, {"issue": walk.issue.id, **details} if walk is not None else details)

    @property
    def concluded(self) -> str:
        """The cause that the walk which is open has found; empty without one."""
        walk = self._walk()
        cause = walk.walk.conclusion.cause if walk is not None and walk.walk.conclusion is not None else None
        return f"{walk.issue.id}.{cause.id}" if walk is not None and cause is not None else ""

    def _walk(self) -> "WalkScreen | None":
        from screens.walk import WalkScreen

        return next((screen for screen in reversed(self._app.screen_stack) if isinstance(screen, WalkScreen)), None)

    def put(self, kind: str, **details: object) -> None:
        """`write` beside the screen."""
        self._app.run_worker(self.write(kind, self._app.journal.safe(details)), name=kind, group="drill log", exit_on_error=False)

    def acknowledge(self) -> None:
        if self.seen.running and self.seen.acknowledged_at is None:
            self.put("acknowledged")

    def diagnose(self, causes: tuple[str, ...]) -> None:
        if self.seen.running and (not self.seen.diagnoses or self.seen.diagnoses[-1] != causes):
            self.put("diagnosed", causes=list(causes))

    def want_hint(self, level: int) -> None:
        """Ask for a hint, once: an answer that comes twice takes no second one."""
        if self.seen.running and self.seen.next_hint == level:
            self.put("hint_wanted", level=level)

    def give_up(self) -> None:
        if self.seen.running and self.seen.gave_up_at is None:
            self.put("gave_up")


def _words(entry: Entry) -> tuple[str, str] | None:
    """Title and text of the toast for an entry, if it has one."""
    from console.practice.drill.seen import seen_of

    seen = seen_of([entry])
    for said in seen.reports:
        return f"Report: {said.who}", said.text
    for said in seen.messages:
        return "Message", said.text
    for level, text in seen.hint_texts.items():
        return f"Hint {level}", text
    match entry["kind"]:
        case "began":
            return "The round has begun", "D shows the brief. Acknowledge as soon as you see that something is wrong."
        case "phase":
            return "Referee", f"{str(entry.get('phase', '')).capitalize()}."
        case "frozen":
            return "Frozen", "The facilitator has frozen the round: its clock stands."
        case "thawed":
            return "Thawed", "The round goes on."
        case _:
            return None
