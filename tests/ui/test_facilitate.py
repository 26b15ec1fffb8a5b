"""The facilitator's screen, with a referee that only notes what it is asked for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
from textual.pilot import Pilot

from console.guides.checks.containers import NoParameters
from console.guides.conditions import parse
from console.guides.issue import CheckCall, Severity
from console.practice.drill.referee import Referee
from console.practice.drill.referee_state import RefereeState
from console.practice.drill.scenario import PlannedFault, PlannedNoise, Probe, Scenario, StackKind, Truth
from console.practice.drill.stack import StackError
from console.practice.drill.watching import Probed, Sample
from screens.facilitate import FacilitateScreen, FacilitatorApp
from screens.question import QuestionScreen
from tests.ui import fakes
from tests.ui.opened import press, screen_text, until

SIZES = [(80, 24), (200, 50)]
FAULTS = {"sms.c2.pool-exhausted": "Sessions fill the server", "sms.l3.smtp-down": "The mail server does not answer"}
SCENARIO = Scenario(
    id="sms-monday-morning",
    title="Monday, half past eight",
    system="sms",
    stack=StackKind.LAB,
    severity=Severity.CRITICAL,
    respond_s=900.0,
    brief="Nobody gets in.",
    faults=(PlannedFault("sms.c2.pool-exhausted"), PlannedFault("sms.l3.smtp-down", 180.0)),
    noise=(PlannedNoise("slow-job", 30.0),),
    reports=(),
    hints=("look", "look closer", "there"),
)
TRUTH = Truth(
    id=SCENARIO.id,
    causes=("sms.c2.pool-exhausted",),
    accepted={},
    probes=(Probe("logs-in", "A user can log in", CheckCall("postgres.accepts", NoParameters()), parse("accepting")),),
    keep_tables=("users",),
    mending=(),
    debrief="",
)
STATE = RefereeState(
    phase="running",
    elapsed_s=185.0,
    probes=(Probed("logs-in", "A user can log in", False, {"used_percent": 97.5}, "used_percent < 80"),),
    sample=Sample(p95_ms=812.5, connections=97, connections_max=100),
    held_s=None,
    faults=("sms.c2.pool-exhausted",),
    reached=("detected",),
    trainee=(
        {"at": fakes.NOW, "kind": "joined"},
        {"at": fakes.NOW + 5, "kind": "acknowledged"},
        {"at": fakes.NOW + 9, "kind": "step", "issue": "sms.c2", "step": "accepting", "branch": "not accepting"},
        {"at": fakes.NOW + 20, "kind": "diagnosed", "causes": ["sms.c3.out-of-memory"]},
    ),
    losses=(),
)


class Asked:
    """A referee that notes what it is asked for; its round goes on until it is aborted."""

    def __init__(self) -> None:
        self.scenario, self.truth, self.state = SCENARIO, TRUTH, STATE
        self.calls: list[tuple[str, ...]] = []
        self.refuses = ""
        self._over = asyncio.Event()

    async def run(self) -> str:
        await self._over.wait()
        return "aborted"

    async def add_fault(self, fault: str) -> None:
        self.calls.append(("fault", fault))
        if self.refuses:
            raise StackError(self.refuses)

    async def add_report(self, who: str, text: str) -> None:
        self.calls.append(("report", who, text))

    async def message(self, text: str) -> None:
        self.calls.append(("message", text))

    def freeze(self) -> None:
        self.calls.append(("freeze",))
        self.state = replace(self.state, phase="frozen")

    def thaw(self) -> None:
        self.calls.append(("thaw",))
        self.state = replace(self.state, phase="running")

    def abort(self, reason: str) -> None:
        self.calls.append(("abort", reason))
        self.state = replace(self.state, phase="over")
        self._over.set()


@asynccontextmanager
async def facilitating(size: tuple[int, int] = (160, 45)) -> AsyncIterator[tuple[Pilot[None], Asked]]:
    referee = Asked()
    app = FacilitatorApp(cast(Referee, referee), FAULTS)
    async with app.run_test(size=size) as pilot:
        await until(lambda: "FACILITATOR" in screen_text(pilot))
        yield pilot, referee
        referee._over.set()


async def shows(pilot: Pilot[Any], *texts: str) -> None:
    await until(lambda: all(text in screen_text(pilot) for text in texts))


def said(pilot: Pilot[Any]) -> list[str]:
    return [note.message for note in pilot.app._notifications]


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_the_truth_stands_beside_what_the_trainee_does(size: tuple[int, int]) -> None:
    async with facilitating(size) as (pilot, _):
        await shows(pilot, "3:05 of 15:00", "sms.c2.pool-exhausted", "in place, at 0:00", "diagnosed: sms.c3.out-of-memory ✖")


async def test_probes_stand_with_what_was_found_and_wanted() -> None:
    async with facilitating() as (pilot, _):
        await shows(pilot, "✖ A user can log in", "used_percent 97.5; wanted: used_percent < 80", "p95 812.5 ms")
        await shows(pilot, "~ slow-job (harmless, at 0:30)", "· sms.l3.smtp-down (at 3:00)", "acknowledged", "not accepting")


async def test_a_fault_is_chosen_from_a_list_that_is_searched() -> None:
    async with facilitating() as (pilot, referee):
        await press(pilot, "a")
        await shows(pilot, "Break one more thing", "sms.l3.smtp-down")
        assert "Sessions fill the server" not in screen_text(pilot), "it is in place already"
        await press(pilot, "slash", *"mail", "enter", "enter")
        await until(lambda: referee.calls == [("fault", "sms.l3.smtp-down")])


async def test_a_fault_that_does_not_take_is_told() -> None:
    async with facilitating() as (pilot, referee):
        referee.refuses = "sms.l3.smtp-down does not bite; it is undone."
        await press(pilot, "a", "enter")
        await until(lambda: referee.refuses in said(pilot))


async def test_a_report_and_a_message_are_typed() -> None:
    async with facilitating() as (pilot, referee):
        await press(pilot, "r", *"a clerk: mAil fails", "enter")
        await press(pilot, "m", *"go on", "enter")
        await press(pilot, "r", *"it hurts", "enter")
        await until(lambda: len(referee.calls) == 3)
        assert referee.calls == [("report", "a clerk", "mAil fails"), ("message", "go on"), ("report", "a user", "it hurts")]


async def test_the_clock_is_frozen_and_goes_on() -> None:
    async with facilitating() as (pilot, referee):
        await press(pilot, "f")
        await shows(pilot, "FROZEN")
        await press(pilot, "f")
        assert referee.calls == [("freeze",), ("thaw",)]


async def test_aborting_asks_first_and_the_screen_stays() -> None:
    async with facilitating() as (pilot, referee):
        await press(pilot, "A", "enter", "n")
        assert referee.calls == []
        await press(pilot, "A", "y")
        await shows(pilot, "over, mended")
        assert isinstance(pilot.app.screen, FacilitateScreen)
        await press(pilot, "a", "f", "r")
        assert len(referee.calls) == 1, "nothing is broken or said after the end"


async def test_leaving_aborts_first_and_ends_when_the_stack_is_mended() -> None:
    async with facilitating() as (pilot, referee):
        await press(pilot, "q")
        assert isinstance(pilot.app.screen, QuestionScreen)
        await press(pilot, "y")
        await until(lambda: not pilot.app.is_running)
        assert referee.calls == [("abort", "The facilitator left.")]
