"""Trainees that play a drill by themselves, on any stack: a good one, and one that restarts everything and guesses."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from console.guides.fixes import apply_fix, preview_fix, verify_fix
from console.guides.fixes.action import find_action
from console.guides.given import given_for
from console.guides.issue import Fix, Issue
from console.guides.walk import Verdict, Walk
from console.practice.drill.referee import Referee
from console.practice.drill.seen import seen_of

GUESS = "sms.l2.moved"
"""What one says who has no idea."""
SHOWS_S = 40.0
"""A late fault is felt after so long."""
MENDED_S = 150.0
"""What looks back over a minute, or has to start, is well again after so long."""
LOOKS_AGAIN_S = 5.0
HELD_S = 4.0


class Clock(Protocol):
    """The stack's clock: `now` in Unix seconds; `pause` lets its time pass."""

    def __call__(self) -> float: ...

    async def pause(self, seconds: float) -> None: ...


class Player:
    """A trainee's side of one round, as the console has it: walks, fixes, and the log that both are written to."""

    def __init__(self, referee: Referee, issues: Sequence[Issue], clock: Clock) -> None:
        self.referee, self.clock = referee, clock
        self.scenario, self.truth = referee.scenario, referee.truth
        self.system = referee.stack.system
        self.issues: Mapping[str, Issue] = {issue.id: issue for issue in issues}
        self._log = referee.round.trainee()

    def does(self, kind: str, **details: object) -> None:
        self._log.add(kind, self.clock(), **details)

    async def record(self, kind: str, details: Mapping[str, object]) -> None:
        self.does(kind, **details)

    def public(self, kind: str) -> list[dict[str, Any]]:
        return [entry for entry in self.referee.round.public().entries() if entry["kind"] == kind]

    @property
    def told(self) -> Mapping[str, str]:
        """What the users who are hit would answer, as the console is told it."""
        return seen_of(self.referee.round.public().entries()).told

    @property
    def grade(self) -> Mapping[str, Any]:
        return next(entry for entry in reversed(self.referee.round.referee().entries()) if entry["kind"] == "grade")

    @property
    def marked(self) -> str:
        """Grade and probes as a person reads them, for a failing test."""
        costly = [reason for reason in self.grade["reasons"] if reason["cost"]]
        return f"{self.public('ended')} {self.grade['mark']}: {costly}; probes {self.referee.state.probes}"

    @property
    def holds(self) -> bool:
        """Every probe, and not just for a moment."""
        return (self.referee.state.held_s or 0.0) >= HELD_S

    async def comes(self, elapsed_s: float) -> None:
        """Let the round become so old."""
        while self.referee.state.elapsed_s < elapsed_s:
            await self.clock.pause(0.5)

    async def makes(self, fix: Fix, issue: str, *, may_fail: bool = False) -> bool:
        """Make a fix as the console does: preview, journal, act. Whether there was anything to do."""

        async def record(kind: str, details: Mapping[str, object]) -> None:
            self.does(kind, **{"issue": issue, **details})

        preview = await preview_fix(self.system, fix)
        if not preview.can_apply:
            return False
        applied = await apply_fix(self.system, fix, preview, record)
        assert applied.done or may_fail, f"{issue}.{fix.id}: {applied}"
        return True

    async def walks(self, issue: str) -> str:
        """Walk one tree to its end; the cause that it names, as `<issue>.<cause>`, else how it ended and by which way."""
        given = given_for(self.issues[issue], self.told)
        walking = Walk(self.issues[issue], self.system, inputs=given, asks=False, record=self.record, clock=self.clock)
        try:
            conclusion = await walking.finish()
        finally:
            walking.close()
        if conclusion is None or conclusion.verdict is not Verdict.CAUSE or conclusion.cause is None:
            steps = "\n".join(f"{made.step}: {made.headline} [{made.branch}] {made.failure or ''}" for made in walking.path)
            return f"{conclusion.summary if conclusion else walking.question}\n{steps}"
        return f"{issue}.{conclusion.cause.id}"


async def good(player: Player) -> None:
    """Acknowledges, walks the trees that the complaints lead to, hands in what they name, and mends it by their fixes."""
    await player.clock.pause(10)
    player.does("acknowledged")
    if not player.truth.causes:
        player.does("opened", what="quick look")
        player.does("diagnosed", causes=[])
        return
    named: list[str] = []
    for planned in player.scenario.faults:
        if planned.at_s:
            await player.comes(planned.at_s + SHOWS_S)
        found = await player.walks(planned.fault.rpartition(".")[0])
        assert player.truth.accepted.get(found, found) == planned.fault, found
        named.append(found)
        await player.clock.pause(LOOKS_AGAIN_S)
        player.does("diagnosed", causes=named)
        if planned.fault not in {errand.fault for errand in player.truth.errands}:
            await mends(player, found)


async def mends(player: Player, cause: str) -> None:
    """Try the fixes of a cause in their order, each watched, until the walk names it no more or nothing is left to try."""
    issue = player.issues[cause.rpartition(".")[0]]
    walking = Walk(issue, player.system, inputs=given_for(issue, player.told), clock=player.clock)
    for number, fix in enumerate(issue.fixes_of(cause.rpartition(".")[2])):
        if number and player.holds:
            break
        bound = walking.bound(fix)
        if not await player.makes(bound, issue.id):
            continue
        async for _ in verify_fix(player.system, bound, clock=player.clock, sleep=player.clock.pause):
            pass
        until = player.clock() + MENDED_S
        while not player.holds and player.clock() < until and await player.walks(issue.id) == cause:
            await player.clock.pause(LOOKS_AGAIN_S)
    walking.close()


async def restarts(player: Player) -> None:
    """Acknowledges, restarts every part at once, and guesses."""
    await player.clock.pause(10)
    player.does("acknowledged")
    config = player.system.config
    name = "containers.restart" if config.roles else "service.restart"
    action = find_action(name)
    assert action is not None
    for role in config.roles or config.units:
        parameters = action.parameters(**({"roles": (role,)} if config.roles else {"role": role}))
        await player.makes(Fix(f"restart-{role}", f"Restart {role}", action.risk, name, parameters), "", may_fail=True)
    player.does("diagnosed", causes=[GUESS])
