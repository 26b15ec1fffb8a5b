"""A scenario of its own and a scripted trainee, for playing rounds on the simulated stack by a clock that all of them share."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from turned_clock import SharedClock

from console.config import load_config, shipped_config
from console.guides.checks import find_check
from console.guides.conditions import parse
from console.guides.issue import CheckCall, Severity
from console.guides.loader import load_issues
from console.practice.drill.referee import Referee
from console.practice.drill.rounds import EventLog, Round, new_round
from console.practice.drill.scenario import PlannedFault, PlannedReport, Probe, Scenario, StackKind, Truth
from console.practice.drill.simulated_stack import SimulatedStack

POOL = "sms.c2.pool-exhausted"
CONFIG = load_config(shipped_config()).config
SMS = CONFIG.system("sms")
ISSUES = load_issues(SMS.guides)


def probe(name: str, check: str, holds: str, **parameters: object) -> Probe:
    found = find_check(check)
    assert found is not None
    return Probe(name, f"The {name} is well", CheckCall(check, found.parameters(**parameters)), parse(holds))


SCENARIO = Scenario(
    id="sms-monday-morning",
    title="Monday, half past eight",
    system="sms",
    stack=StackKind.EITHER,
    severity=Severity.CRITICAL,
    respond_s=300.0,
    brief="Nobody gets in.",
    faults=(PlannedFault(POOL),),
    noise=(),
    reports=(PlannedReport(10.0, "a teacher", "I cannot enter my grades."),),
    hints=("Look at the stores.", "Look at PostgreSQL.", "Who holds its connections?"),
)
TRUTH = Truth(
    id=SCENARIO.id,
    causes=(POOL,),
    accepted={},
    probes=(probe("connections", "postgres.sessions", "used_percent < 80"),),
    keep_tables=("grade", "user"),
    mending=(),
    debrief="Idle sessions held what others needed.",
)
WELL = replace(SCENARIO, faults=(), reports=())
NOTHING = replace(TRUTH, causes=())


class Game:
    """One round: referee, trainee's log, clock."""

    def __init__(self, folder: Path, scenario: Scenario = SCENARIO, truth: Truth = TRUTH, **settings: Any) -> None:
        self.clock = SharedClock()
        self.round: Round = new_round("sms", folder, now=self.clock.now)
        self.stack = SimulatedStack(CONFIG.system(scenario.system), clock=self.clock, pause=self.clock.pause)
        self.trainee: EventLog = self.round.trainee()
        settings = {"issues": ISSUES, **settings}
        self.referee = Referee(scenario, truth, self.stack, self.round, person="Ada", **settings)

    def does(self, kind: str, **details: object) -> None:
        self.trainee.add(kind, self.clock.now, **details)

    def public(self, kind: str) -> list[dict[str, Any]]:
        return [entry for entry in self.round.public().entries() if entry["kind"] == kind]

    def private(self, kind: str) -> list[dict[str, Any]]:
        return [entry for entry in self.round.referee().entries() if entry["kind"] == kind]

    async def until(self, holds: Callable[[], bool], within_s: float = 600) -> None:
        """Let time pass until something is so."""
        until = self.clock.now + within_s
        while not holds():
            assert self.clock.now < until, self.referee.state
            await self.clock.pause(0.5)

    async def mend(self) -> None:
        """Restart the backend, which gives its leaked connections back."""
        await self.stack.system.need_engine().restart("sms-backend")

    async def play(self, trainee: Callable[["Game"], Awaitable[None]] | None = None) -> str:
        """Let the referee and a trainee play; how the round ended."""

        async def acts() -> None:
            if trainee is not None:
                await self.until(lambda: bool(self.public("began")))
                await trainee(self)

        acting = asyncio.ensure_future(self.clock.lives(acts()))
        try:
            return await self.referee.run()
        finally:
            acting.cancel()
            (trouble,) = await asyncio.gather(acting, return_exceptions=True)
            await self.stack.aclose()
            if isinstance(trouble, Exception):
                raise trouble  # Not how the round ended without its trainee.


def kinds(entries: list[Mapping[str, Any]]) -> list[str]:
    return [entry["kind"] for entry in entries]
