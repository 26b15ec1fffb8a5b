"""What the trainee holds to be the cause: one or more of all causes of the system's issues, or that nothing is wrong."""

from typing import TYPE_CHECKING, cast

from textual import work

from console.practice.drill.seen import NOTHING_WRONG
from screens.choice import ChoiceScreen

if TYPE_CHECKING:
    from screens.app import TriageApp


class DiagnoseScreen(ChoiceScreen):
    """Dismissed with the marked causes (`<issue>.<cause>`), or with `ALONE` for "nothing is wrong", which excludes them.

    `before` is the diagnosis that is to be changed; the cursor begins on `found`, which a walk has found.
    """

    def __init__(self, before: tuple[str, ...] | None = None, found: str = "") -> None:
        super().__init__("What is the cause?", several=True, takes="hands it in", at=found)
        self.marked = set() if before is None else set(before) or {self.ALONE}

    def on_mount(self) -> None:
        super().on_mount()
        self._load()

    @work(group="causes", exclusive=True, exit_on_error=False)
    async def _load(self) -> None:
        issues = sorted(await cast("TriageApp", self.app).load_issues(), key=lambda issue: (issue.severity.rank, issue.chord))
        causes = {f"{issue.id}.{cause.id}": cause.summary for issue in issues for cause in issue.causes.values()}
        self.offer({self.ALONE: f"{NOTHING_WRONG.capitalize()}: the stack works as it should.", **causes})
