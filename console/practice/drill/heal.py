"""Rounds whose referee is gone: which there are, and how a fresh process mends what they broke."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from console.practice.drill.rounds import Round, all_rounds
from console.state import state_path

if TYPE_CHECKING:
    from console.config import Config
    from console.practice.drill.scenario import Scenario, Truth
    from console.practice.drill.stack import Baseline

MOST_LOOKED_AT: Final = 50
"""Of the newest rounds: what is older was told of often enough."""
REASON: Final = "The referee's process ended; the stack was healed afterwards."


def unhealed(folder: Path | None = None) -> tuple[Round, ...]:
    """The rounds that have not ended and that no referee has, the newest first. Cheap: every start of Triage asks."""
    rounds = all_rounds(folder or state_path() / "drills")
    return tuple(item for item in rounds[:MOST_LOOKED_AT] if not item.ended and not item.held)


def offer(folder: Path | None = None) -> str:
    """What is said at the next start when a round left something broken; empty when none did.

    A simulated stack went with its process: a round on one leaves nothing that would have to be mended.
    """
    for item in unhealed(folder):
        told = told_of(item)
        if told.get("stack") == "lab":
            return f"A drill on the lab of {told['system']} was broken off, and its faults are still in place: triage drill heal"
    return ""


def told_of(round_: Round) -> Mapping[str, Any]:
    """What the referee said that the round is; empty when it did not come to that."""
    return next((entry for entry in round_.public().entries() if entry["kind"] == "round"), {})


async def heal(round_: Round, config: "Config", say: Callable[[str], None]) -> None:
    """Mend what a round broke whose referee is gone, and close its books. Raises StackError, and OSError for a round that
    somebody has. Nothing is touched for a round that had touched nothing."""
    from console.practice.drill.closing import close_books
    from console.practice.drill.review_command import issues_for_round

    with round_.hold():
        told, private = told_of(round_), round_.referee()
        entries = private.entries()
        at = max((entry["at"] for log in (round_.public(), round_.trainee(), private) for entry in log.entries()), default=0.0)
        if told.get("stack") == "lab" and any(entry["kind"] in ("inject_begins", "noise") for entry in entries):
            for what in await _mend(config, str(told["system"]), _baseline(entries), say):
                private.add("lost", at, what=what)
            private.add("healed", at)
        book = _book(entries)
        if book is None:
            round_.public().add("ended", at, how="broken_off", reason=REASON)
        else:
            close_books(round_, "broken_off", REASON, at, *book, issues_for_round(config, round_))
    say(f"{round_.id} is healed and closed.")


async def _mend(config: "Config", system: str, kept: "Baseline | None", say: Callable[[str], None]) -> tuple[str, ...]:
    from console.practice.drill.lab_stack import LabStack
    from console.practice.drill.stack import StackError

    if system not in config.systems:
        raise StackError(f"The configuration has no system {system}, on whose lab the round was.", "Name its file with --config.")
    stack = LabStack(config.systems[system], say, kept=kept)
    try:
        return await stack.heal()
    finally:
        await stack.aclose()


def _baseline(entries: list[dict[str, Any]]) -> "Baseline | None":
    from console.practice.drill.stack import Baseline

    found = next((entry for entry in entries if entry["kind"] == "baseline"), None)
    return Baseline(frozenset(found["parts"]), found["rows"]) if found is not None else None


def _book(entries: list[dict[str, Any]]) -> "tuple[Truth, Scenario] | None":
    """The scenario of a round and its truth, with what a facilitator added; None when either is not there any more."""
    from console.practice.drill.scenarios import load_scenario
    from console.practice.drill.truths import load_truth
    from console.problem import Problems

    told = [entry for entry in entries if entry["kind"] == "truth"]
    if not told:
        return None
    try:
        name = str(told[-1]["scenario"])
        return replace(load_truth(name), causes=tuple(told[-1]["causes"])), load_scenario(name)
    except Problems:
        return None
