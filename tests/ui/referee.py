"""A round whose files a test writes, as a referee would."""

from pathlib import Path
from typing import Any

from console.practice.drill.rounds import Round
from tests.ui import fakes

BRIEF = "The pager: nobody gets in since half past eight. Three schools have called. Find out what it is, and mend it."


class WrittenRound:
    """One round; `say` is the referee, `did` what the trainee's console wrote."""

    def __init__(self, folder: Path, number: int = 1) -> None:
        path = folder / f"20261118T090640Z-sms-{number}"
        path.mkdir(parents=True)
        self.round = Round(path)
        self.now = fakes.NOW
        self._holding = self.round.hold()
        self._holding.__enter__()

    def say(self, kind: str, **details: Any) -> None:
        self.round.public().add(kind, self.now, **details)

    def begin(self, **changes: Any) -> "WrittenRound":
        """The round is told and has begun, `after_s` before now."""
        after_s = changes.pop("after_s", 0.0)
        details = {
            "round": self.round.id,
            "title": "Monday, half past eight: nobody gets in",
            "system": "sms",
            "stack": "simulated",
            "severity": "critical",
            "respond_s": 900.0,
            "brief": BRIEF,
            "hints": 3,
            "hide_steps": False,
            "told": {"email": "teacher1@studentmanagement.local"},
            "person": "ada",
        }
        self.now -= after_s
        self.say("round", **{**details, **changes})
        self.say("began")
        self.now += after_s
        return self

    def did(self, kind: str) -> list[dict[str, Any]]:
        return [entry for entry in self.round.trainee().entries() if entry["kind"] == kind]

    def desert(self) -> None:
        """The referee's process is gone."""
        self._holding.__exit__(None, None, None)
