"""Trainees that play a round by themselves: a good one, one that restarts everything, one that loses rows; and nobody."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from rounds_played import CONFIG, Game

from console.guides.fixes import apply_fix, preview_fix, verify_fix
from console.guides.fixes.action import find_action
from console.guides.given import given_for
from console.guides.issue import Fix, Issue
from console.guides.loader import load_issues
from console.guides.walk import Verdict, Walk
from console.practice.drill.scenario import Scenario, Truth
from console.practice.drill.scenarios import load_scenario
from console.practice.drill.simulated_stack import SimulatedStack
from console.practice.drill.truths import load_truth

Trainee = Callable[["Played"], Awaitable[None]]
GUESS = "sms.l2.moved"
"""What one says who has no idea."""
SHOWS_S = 40.0
"""A late fault is felt after so long."""
MENDED_S = 150.0
"""What looks back over a minute, or has to start, is well again after so long."""
LOOKS_AGAIN_S = 5.0


class Played(Game):
    """A shipped scenario, played by a robot."""

    def __init__(self, folder: Path, name: str, *, limit_s: float | None = None) -> None:
        self.scenario: Scenario = load_scenario(name)
        self.truth: Truth = load_truth(name)
        issues = load_issues(CONFIG.system(self.scenario.system).guides)
        self.issues: Mapping[str, Issue] = {issue.id: issue for issue in issues}
        super().__init__(folder, self.scenario, self.truth, issues=issues, limit_s=limit_s)

    @property
    def told(self) -> Mapping[str, str]:
        """What the users who are hit would answer, as the console is told it."""
        (round_,) = self.public("round")
        return dict(round_["told"])

    @property
    def ended(self) -> str:
        return str(self.public("ended")[-1]["how"])

    @property
    def grade(self) -> Mapping[str, object]:
        return self.private("grade")[-1]

    @property
    def marked(self) -> str:
        """The grade as a person reads it, for a failing test."""
        found = [reason for reason in self.grade["reasons"] if reason["cost"]]  # type: ignore[attr-defined]
        return f"{self.grade['mark']}: {found}; probes {self.referee.state.probes}"

    @property
    def holds(self) -> bool:
        return all(probed.holds for probed in self.referee.state.probes)

    async def record(self, kind: str, details: Mapping[str, object]) -> None:
        self.does(kind, **details)

    async def makes(self, fix: Fix, issue: str) -> bool:
        """Make a fix as the console makes it: preview, journal, act. Whether there was anything to do."""

        async def record(kind: str, details: Mapping[str, object]) -> None:
            self.does(kind, **{"issue": issue, **details})

        preview = await preview_fix(self.stack.system, fix)
        if not preview.can_apply:
            return False
        applied = await apply_fix(self.stack.system, fix, preview, record)
        assert applied.done, f"{issue}.{fix.id}: {applied}"
        return True

    async def walks(self, issue: str) -> str:
        """Walk one tree to its end; the cause that it names, as `<issue>.<cause>`, or its verdict."""
        given = given_for(self.issues[issue], self.told)
        walking = Walk(self.issues[issue], self.stack.system, inputs=given, asks=False, record=self.record, clock=self.clock)
        try:
            conclusion = await walking.finish()
        finally:
            walking.close()
        if conclusion is None or conclusion.verdict is not Verdict.CAUSE or conclusion.cause is None:
            steps = "\n".join(f"{made.step}: {made.headline} [{made.branch}] {made.failure or ''}" for made in walking.path)
            return f"{conclusion.summary if conclusion else walking.question}\n{steps}"
        return f"{issue}.{conclusion.cause.id}"


async def good(played: Played) -> None:
    """Acknowledges, walks the trees that the complaints lead to, hands in what they name, and mends it by their fixes."""
    await played.clock.pause(10)
    played.does("acknowledged")
    if not played.truth.causes:
        played.does("opened", what="quick look")
        played.does("diagnosed", causes=[])
        return
    named: list[str] = []
    for planned in played.scenario.faults:
        if planned.at_s:
            await played.until(lambda due=planned.at_s + SHOWS_S: played.referee.state.elapsed_s >= due)  # type: ignore[misc]
        found = await played.walks(planned.fault.rpartition(".")[0])
        assert played.truth.accepted.get(found, found) == planned.fault, found
        named.append(found)
        await played.clock.pause(LOOKS_AGAIN_S)
        played.does("diagnosed", causes=named)
        await _mends(played, found)


async def _mends(played: Played, cause: str) -> None:
    """Try the fixes of a cause in their order, each watched, until the walk names it no more or nothing is left to try."""
    issue = played.issues[cause.rpartition(".")[0]]
    if any(errand.fault == cause for errand in played.truth.errands):
        return
    walking = Walk(issue, played.stack.system, inputs=given_for(issue, played.told), clock=played.clock)
    for fix in issue.fixes_of(cause.rpartition(".")[2]):
        if played.holds:
            break
        bound = walking.bound(fix)
        if not await played.makes(bound, issue.id):
            continue
        async for _ in verify_fix(played.stack.system, bound, clock=played.clock, sleep=played.clock.pause):
            pass
        until = played.clock.now + MENDED_S
        while not played.holds and played.clock.now < until and await played.walks(issue.id) == cause:
            await played.clock.pause(LOOKS_AGAIN_S)
    walking.close()


async def restarts(played: Played) -> None:
    """Acknowledges, restarts every part at once, and says nothing about a cause."""
    await played.clock.pause(10)
    played.does("acknowledged")
    config = played.stack.system.config
    name = "containers.restart" if config.roles else "service.restart"
    action = find_action(name)
    assert action is not None
    for role in config.roles or config.units:
        parameters = action.parameters(**({"roles": (role,)} if config.roles else {"role": role}))
        fix = Fix(f"restart-{role}", f"Restart {role}", action.risk, name, parameters)
        await played.makes(fix, "")
    played.does("diagnosed", causes=[GUESS])


async def drops(played: Played) -> None:
    """Empties a table that the round wants kept, and then does everything right."""
    await played.clock.pause(5)
    table = played.truth.keep_tables[0]
    real = played.stack.system.config.tables.get(table, table)
    assert isinstance(played.stack, SimulatedStack)
    played.stack.world.database.tables.run(f'DELETE FROM "{real}"')
    await good(played)


async def play(folder: Path, name: str, robot: Trainee | None, *, limit_s: float | None = None) -> Played:
    """The round as this robot played it; without one, nobody does anything."""
    played = Played(folder, name, limit_s=limit_s)
    await Game.play(played, robot)  # type: ignore[arg-type]
    return played
