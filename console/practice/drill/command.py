"""`triage drill …`: picks a scenario, makes its stack, and lets referee and console play; what was broken off is healed."""

import argparse
import asyncio
import contextlib
import getpass
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any, Final, TextIO, TypeVar

from console.config import Config, SystemConfig
from console.guides.issue import Issue, Severity
from console.guides.loader import read_guides
from console.practice.drill.heal import MOST_LOOKED_AT, heal, told_of, unhealed
from console.practice.drill.history import rounds_played
from console.practice.drill.lab_stack import LabStack
from console.practice.drill.picking import Wanted, fitting, pick, times_played
from console.practice.drill.referee import Referee
from console.practice.drill.rounds import Round, all_rounds, new_round
from console.practice.drill.scenario import Scenario, StackKind
from console.practice.drill.scenarios import load_scenario, scenario_ids
from console.practice.drill.simulated_stack import SimulatedStack
from console.practice.drill.stack import StackError
from console.practice.drill.truths import load_truth
from console.practice.simulated.blueprints import blueprint_name
from console.problem import Problem, Problems
from console.system import System, live_system

T = TypeVar("T")

NEEDS_TERMINAL: Final = ("start", "join", "replay")
RANDOM: Final = "random"


def run(arguments: argparse.Namespace, config: Config, out: TextIO) -> int:
    """Do what was asked; the exit code: 0 done, 1 not. Raises Problems for what is not there."""
    try:
        return _ACTIONS[arguments.action](arguments, config, out)
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1


# -- what there is ------------------------------------------------------------------------------------------------------


def _list(arguments: argparse.Namespace, config: Config, out: TextIO) -> int:
    seen = times_played(rounds_played(all_rounds()))
    wanted = Wanted(_blueprint(arguments, config))
    print(f"{'scenario':<28} {'system':<8} {'stack':<10} {'severity':<9} {'played':>6}  title", file=out)
    for item in fitting(map(load_scenario, scenario_ids()), {}, wanted):
        times = seen.get(item.id, 0) or "-"
        print(f"{item.id:<28} {item.system:<8} {item.stack:<10} {item.severity:<9} {times:>6}  {item.title}", file=out)
    return 0


def _status(_arguments: argparse.Namespace, _config: Config, out: TextIO) -> int:
    left = unhealed()
    for round_ in left:
        print(f"{round_.id}: broken off, {_where(round_)}; triage drill heal", file=out)
    for round_ in all_rounds()[:10]:
        if not round_.ended and round_.held:
            print(f"{round_.id}: being played, {_where(round_)}", file=out)
            return 1 if left else 0
    print("No round is being played.", file=out)
    return 1 if left else 0


def _where(round_: Round) -> str:
    told = told_of(round_)
    where = f"on the {told.get('stack')} stack of {told.get('system')}" if told else "before anything was touched"
    return f"{where}, by {told['person']}" if told.get("person") else where


def _heal(_arguments: argparse.Namespace, config: Config, out: TextIO) -> int:
    left = unhealed()
    if not left:
        print("There is nothing to heal.", file=out)
    for round_ in left:
        _apart(heal(round_, config, lambda line: print(line, file=out, flush=True)))
    return 0


def _review(arguments: argparse.Namespace, config: Config, out: TextIO) -> int:
    from console.practice.drill.review_command import review_command

    return review_command(config, arguments.round, as_json=arguments.json, out=out)


def _history(arguments: argparse.Namespace, config: Config, out: TextIO) -> int:
    from console.practice.drill.review_command import history_command

    return history_command(config, arguments.person, as_json=arguments.json, out=out)


def _replay(arguments: argparse.Namespace, config: Config, _out: TextIO) -> int:
    from console.practice.drill.looking_back import review_of
    from console.practice.drill.review_command import chosen_round
    from console.practice.drill.round_clock import clock_of
    from console.practice.drill.tape import Player, read_tape
    from screens.replay import ReplayApp
    from screens.running import show

    round_ = chosen_round(arguments.round)
    tape, told = read_tape(round_), told_of(round_)
    if not tape.frames or told.get("system") not in config.systems:
        why = "was not recorded" if not tape.frames else f"is of {told.get('system')!r}, which the configuration has not"
        raise Problems([Problem("ROUND", 1, 1, f"{round_.id} {why}", "`triage drill review` looks back at it all the same.")])
    player = Player(tape, speed=round(arguments.speed))
    clock, moments = clock_of(round_.public().entries()), review_of(round_).timeline
    return show(ReplayApp(config.systems[told["system"]], player, clock, moments, stack=str(told.get("stack"))))


# -- a round ------------------------------------------------------------------------------------------------------------


def _start(arguments: argparse.Namespace, config: Config, out: TextIO) -> int:
    person = arguments.person or getpass.getuser()
    seed = time.time_ns() if arguments.seed is None else arguments.seed
    scenario = _chosen(arguments, config, person, seed)
    kind, system = _stack_kind(arguments, scenario), _system_for(scenario, arguments, config)
    if kind is StackKind.LAB:
        _refuse_unhealed(system)
    voice = Voice()
    stack = LabStack(system, voice.say) if kind is StackKind.LAB else SimulatedStack(system, seed=seed % 10_000)
    issues = read_guides(system.guides).issues
    referee = Referee(scenario, load_truth(scenario.id), stack, new_round(system.name), person=person, issues=issues)
    code = _facilitated(referee, stack, issues, voice) if arguments.facilitate else _alone(referee, stack, system, voice)
    return code or _told_end(referee.round, out)


def _alone(referee: Referee, stack: LabStack | SimulatedStack, config: SystemConfig, voice: "Voice") -> int:
    """The trainee's console, and the referee beside it in the same process."""
    from screens.running import run_app

    async def beside() -> None:
        playing = asyncio.ensure_future(referee.run())
        try:
            await asyncio.shield(playing)
        except asyncio.CancelledError:
            if not playing.done():
                voice.speak_up()
                playing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await playing
        finally:
            if isinstance(stack, LabStack):
                await stack.aclose()

    def build() -> System:
        # On the lab, referee and trainee look through connections of their own.
        return live_system(config) if isinstance(stack, LabStack) else stack.system

    return run_app(build, round=referee.round, companion=beside)


def _facilitated(referee: Referee, stack: LabStack | SimulatedStack, issues: tuple[Issue, ...], voice: "Voice") -> int:
    """The referee and the facilitator's screen; the trainee's console is another process."""
    from screens.facilitate import facilitate

    if not isinstance(stack, LabStack):
        message = "only a lab can be looked at from two terminals"
        raise Problems([Problem("--facilitate", 1, 1, message, "Add --stack lab, or play alone without --facilitate.")])

    async def play() -> int:
        try:
            return await facilitate(referee, stack.faults(), issues)
        finally:
            voice.speak_up()
            await stack.aclose()

    return _apart(play())


def _join(_arguments: argparse.Namespace, config: Config, out: TextIO) -> int:
    from screens.running import run_app

    for round_ in all_rounds()[:MOST_LOOKED_AT]:
        told = told_of(round_)
        if told.get("stack") == "lab" and told.get("system") in config.systems and round_.held and not round_.ended:
            return run_app(partial(live_system, config.systems[told["system"]]), round=round_) or _told_end(round_, out)
    sys.stderr.write("No round is facilitated on this host. A facilitator begins one: triage drill start --facilitate\n")
    return 1


def _told_end(round_: Round, out: TextIO) -> int:
    """Say how the round ended; 1 when it is void or not healed, else 0."""
    ended = next((entry for entry in round_.public().entries() if entry["kind"] == "ended"), None)
    if ended is None:
        if not round_.held:
            print("The round has not ended, and its stack may not be mended: triage drill heal", file=out)
        return 1
    print(f"{round_.id}: {ended['how'].replace('_', ' ')}. {ended['reason']}", file=out)
    if ended["how"] == "void":
        return 1
    print("triage drill review looks back at it, and triage drill replay plays it again.", file=out)
    return 0


class Voice:
    """What the lab says while it works: kept to itself as long as a screen has the terminal."""

    def __init__(self) -> None:
        self._aloud = False

    def speak_up(self) -> None:
        """The screen is gone: from here on everything is said."""
        self._aloud = True

    def say(self, line: str) -> None:
        if self._aloud:
            with contextlib.suppress(OSError):  # The terminal may be closed; mending goes on.
                sys.stderr.write(f"{line}\n")
                sys.stderr.flush()


# -- which round --------------------------------------------------------------------------------------------------------


def _chosen(arguments: argparse.Namespace, config: Config, person: str, seed: int) -> Scenario:
    if arguments.scenario != RANDOM:
        return load_scenario(arguments.scenario)
    scenarios = [load_scenario(name) for name in scenario_ids()]
    causes = {item.id: load_truth(item.id).causes for item in scenarios} if arguments.family else {}
    wanted = Wanted(
        system=_blueprint(arguments, config),
        stack=StackKind(arguments.stack or "lab") if arguments.stack or arguments.facilitate else None,
        severity=Severity(arguments.severity) if arguments.severity else None,
        families=arguments.family,
    )
    found = [item for item in fitting(scenarios, causes, wanted) if _systems_for(item, config)]
    if not found:
        raise Problems([Problem("SCENARIO", 1, 1, "no scenario is like that", "`triage drill list` shows those that there are.")])
    return pick(found, times_played(rounds_played(all_rounds()), person), seed)


def _stack_kind(arguments: argparse.Namespace, scenario: Scenario) -> StackKind:
    wanted = "lab" if arguments.facilitate and arguments.stack is None else arguments.stack
    if scenario.stack is StackKind.EITHER:
        return StackKind(wanted or "simulated")
    if wanted not in (None, scenario.stack.value):
        message = f"{scenario.id} is played on the {scenario.stack.value} stack only"
        raise Problems([Problem("--stack", 1, 1, message, f"Leave --stack out, or say --stack {scenario.stack.value}.")])
    return scenario.stack


def _system_for(scenario: Scenario, arguments: argparse.Namespace, config: Config) -> SystemConfig:
    found = _systems_for(scenario, config)
    named = getattr(arguments, "system", None)
    fits = [system for system in found if named in (None, system.name)]
    if not fits:
        names = ", ".join(system.name for system in found) or f"none; it needs one with the guides of {scenario.system}"
        raise Problems(
            [Problem("--system", 1, 1, f"{scenario.id} is not made for {named or 'these systems'}", f"It fits: {names}.")]
        )
    return fits[0]


def _systems_for(scenario: Scenario, config: Config) -> list[SystemConfig]:
    """The configured systems that a scenario can be played on, the one of its own name first."""
    found = [system for system in config.systems.values() if blueprint_name(system) == scenario.system]
    return sorted(found, key=lambda system: system.name != scenario.system)


def _blueprint(arguments: argparse.Namespace, config: Config) -> str | None:
    """Which kind of system --system names; None without it."""
    named = getattr(arguments, "system", None)
    if named is None:
        return None
    if named not in config.systems:
        raise Problems([Problem("--system", 1, 1, f"there is no system {named!r}", f"There are: {', '.join(config.systems)}.")])
    return blueprint_name(config.systems[named]) or named


def _refuse_unhealed(system: SystemConfig) -> None:
    if any((told := told_of(left)).get("stack") == "lab" and told.get("system") == system.name for left in unhealed()):
        raise StackError(f"The last round on the lab of {system.name} is not healed.", "`triage drill heal` mends it.")


def _apart(work: Coroutine[Any, Any, T]) -> T:
    """Run in a loop of its own; Ctrl+C cancels and waits."""
    with asyncio.Runner() as runner:
        return runner.run(work)


_ACTIONS: Final[Mapping[str, Callable[[argparse.Namespace, Config, TextIO], int]]] = {
    "list": _list,
    "start": _start,
    "join": _join,
    "status": _status,
    "heal": _heal,
    "review": _review,
    "replay": _replay,
    "history": _history,
}
