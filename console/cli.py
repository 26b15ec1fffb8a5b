"""The command line: names, options and exit codes are a contract for scripts. Opens a screen only when one is wanted."""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from console.practice.drill.heal import offer
from console.practice.drill.options import add_options
from console.problem import Problem, Problems

if TYPE_CHECKING:
    from console.config import Loaded, SystemConfig
    from console.daily.report import Report
    from console.system import System

T = TypeVar("T")

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
CAUSE: Final = 3
UNDECIDED: Final = 4

EPILOG = """exit codes: 0 nothing wrong · 1 the program itself failed · 2 bad usage, config or guide ·
            3 a cause was found · 4 undecided"""


def run(argv: Sequence[str]) -> int:
    """Run one command and return its exit code. Nothing that a user sees is ever a traceback."""
    # A library's warning that nobody handles would be written over the screen.
    logging.lastResort = None
    try:
        arguments = _parser().parse_args(argv)
        if arguments.run is not _drill and (left := offer()):
            print(left, file=sys.stderr)
        return int(arguments.run(arguments))
    except SystemExit as end:  # argparse: usage (2) or --help (0)
        return end.code if isinstance(end.code, int) else USAGE
    except Problems as problems:
        print(problems, file=sys.stderr)
        return USAGE
    except BrokenPipeError:  # `triage check | head`: nobody reads on, and that is no failure of ours
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 128 + signal.SIGINT
    except Exception as error:
        from console.crash import report_crash

        print(report_crash(error), file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--system", metavar="S", help="the system to look at (default: the config's default_system)")
    common.add_argument("--config", metavar="FILE", type=Path, help="another config.toml")
    parser = argparse.ArgumentParser(
        prog="triage",
        parents=[common],
        description="A full-screen console for people on call. Without a command it opens the console.",
        epilog=EPILOG,
    )
    parser.add_argument("--write", action="store_true", help="start with writing armed (for ten minutes)")
    parser.set_defaults(run=_console)
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")

    def command(name: str, run: Any, words: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, parents=[common], help=words, description=words, epilog=EPILOG)
        added.set_defaults(run=run)
        return added

    practice = command("practice", _practice, "the console on a built-in simulated stack: nothing outside is touched")
    practice.add_argument("--scenario", metavar="ID", default="healthy", help="a fault, healthy, or random")
    practice.add_argument("--seed", metavar="N", type=int, help="the same seed gives the same stack")

    check = command("check", _check, "walk issues headless: reads run, fixes are only named")
    check.add_argument("issues", metavar="ISSUE", nargs="*", help="such as sms.c2 (default: every issue of the system)")
    check.add_argument("--json", action="store_true", help="one JSON object")
    check.add_argument("--timeout", metavar="SECONDS", type=_seconds, default=10.0, help="for the whole command")
    check.add_argument("--input", metavar="NAME=VALUE", action="append", default=[], help="what a step would ask for")
    check.add_argument("--error", metavar="TEXT", help="the issues that this error text of a log or a page leads to")
    check.add_argument("--practice", metavar="FAULT", help="on a simulated stack that has this fault (healthy: none)")

    daily = command("daily", _daily, "the morning check: expected and actual, and what to do (3: failed, 4: something unknown)")
    shape = daily.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="one JSON object")
    shape.add_argument("--markdown", action="store_true", help="a page to keep")

    issues = command("issues", _issues, "every issue, its chord, severity, and when it was last walked")
    issues.add_argument("--json", action="store_true", help="a list of objects")

    lint = command("lint", _lint, "check guides, config and scenarios: file:line:column: what, and how to mend it")
    lint.add_argument("paths", metavar="PATH", nargs="*", type=Path, help="default: all that is shipped, and the config")

    guide = command("guide", _guide, "the guides as prose, made from their trees")
    guide.add_argument("action", choices=["render"])
    guide.add_argument("guide", metavar="GUIDE", nargs="?", help="such as sms (default: every guide of the system)")

    doctor = command("doctor", _doctor, "each source: reachable, version, privileges, latency; what to do if not")
    doctor.add_argument("--json", action="store_true", help="one JSON object")

    lab = command("lab", _lab, "a real stack in containers, made and owned by Triage")
    lab.add_argument("action", choices=["up", "down", "status", "inject", "undo"])
    lab.add_argument("fault", nargs="?", help="for inject and undo, such as sms.c2.pool-exhausted")

    add_options(command("drill", _drill, "practise on a stack that is broken on purpose, measured, and mended"), common)
    return parser


def _console(arguments: argparse.Namespace) -> int:
    if not _has_terminal():
        return USAGE
    loaded, config = _load(arguments)
    _warn(loaded)

    def build() -> "System":
        from console.system import live_system

        return live_system(config)

    return _open_screen(build, write=arguments.write)


def _practice(arguments: argparse.Namespace) -> int:
    if not _has_terminal():
        return USAGE
    _, config = _load(arguments)
    scenario = _scenario(config, arguments.scenario, arguments.seed)

    def build() -> "System":
        from console.practice.simulated.system import simulated_config, simulated_system

        return simulated_system(simulated_config(config), fault=scenario, seed=1 if arguments.seed is None else arguments.seed)

    return _open_screen(build, write=False, told=partial(_told, scenario, config))


def _open_screen(build: Any, *, write: bool, told: Any = dict) -> int:
    from screens.running import run_app

    return run_app(build, write=write, told=told)


def _check(arguments: argparse.Namespace) -> int:
    from console.guides.check import check, exit_code
    from console.guides.check_text import as_text

    inputs = dict(_name_value(item) for item in arguments.input)
    if arguments.error is not None and (arguments.issues or not arguments.error.strip()):
        raise Problems([Problem("--error", 1, 1, "takes the place of issues, and needs a text")])
    told: dict[str, str] = {}
    loaded, config = _load(arguments)
    if arguments.practice:
        from console.practice.simulated.system import simulated_config, simulated_system

        fault = _scenario(config, arguments.practice, None)
        system, told = simulated_system(simulated_config(config), fault=fault), _told(fault, config)
    else:
        _warn(loaded)
        from console.system import live_system

        system = live_system(config)

    async def walk() -> dict[str, Any]:
        await system.open()
        try:
            return await check(
                system,
                arguments.issues,
                timeout_s=arguments.timeout,
                inputs=inputs,
                told=told,
                warn=_warn_of_guides,
                error=arguments.error,
            )
        finally:
            await system.aclose()

    result = run_async(walk())
    print(json.dumps(result, ensure_ascii=False, indent=1) if arguments.json else as_text(result))
    return exit_code(result)


def _daily(arguments: argparse.Namespace) -> int:
    from console.daily.ask import daily
    from console.daily.text import as_json, as_markdown, as_text
    from console.guides.loader import read_guides
    from console.system import live_system

    loaded, config = _load(arguments)
    _warn(loaded)
    guides = read_guides(config.guides)
    for problem in guides.problems:
        _warn_of_guides(problem)
    system = live_system(config)

    async def ask() -> "Report":
        await system.open()
        try:
            return await daily(system, [issue.id for issue in guides.issues])
        finally:
            await system.aclose()

    report = run_async(ask())
    if arguments.json:
        print(json.dumps(as_json(report), ensure_ascii=False, indent=1))
    else:
        print(as_markdown(report) if arguments.markdown else as_text(report), end="" if arguments.markdown else "\n")
    return report.exit_code


def _issues(arguments: argparse.Namespace) -> int:
    from console.guides.check import list_issues
    from console.guides.check_text import issues_as_text
    from console.incidents.journal import last_walks

    _, config = _load(arguments)
    found = list_issues(config, _warn_of_guides)
    if arguments.json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
        return OK
    print(issues_as_text(found, last_walks()))
    return OK


def _lint(arguments: argparse.Namespace) -> int:
    from console.guides.lint import lint
    from console.practice.drill.outline import SCENARIOS
    from console.practice.drill.scenario_rules import is_of_scenarios, scenario_problems

    problems = lint(arguments.paths, getattr(arguments, "config", None), is_of_scenarios)
    problems += scenario_problems(arguments.paths or (SCENARIOS,))
    for problem in problems:
        print(problem)
    if not problems:
        print("Nothing to mend.")
    return USAGE if any(not problem.warning for problem in problems) else OK


def _guide(arguments: argparse.Namespace) -> int:
    from console.guides.loader import guide_name, load_issues
    from console.guides.render import render_guide

    loaded, config = _load(arguments)
    named = {guide_name(guide): (guide, system) for system in loaded.config.systems.values() for guide in system.guides}
    named |= {guide_name(guide): (guide, config) for guide in config.guides}
    wanted = (arguments.guide,) if arguments.guide else tuple(map(guide_name, config.guides))
    if not wanted or not set(wanted) <= set(named):
        message = f"there is no guide {arguments.guide or ''!r}"
        raise Problems([Problem("GUIDE", 1, 1, message, f"There are: {', '.join(named)}.")])
    prose = [render_guide(name, load_issues((guide,)), system) for name in wanted for guide, system in (named[name],)]
    print("\n".join(prose), end="")
    return OK


def _doctor(arguments: argparse.Namespace) -> int:
    from console.doctor import run as examine
    from console.system import live_system

    loaded, config = _load(arguments)
    _warn(loaded)
    system = live_system(config)

    async def visit() -> int:
        await system.open()
        try:
            return await examine(system, as_json=arguments.json, out=sys.stdout)
        finally:
            await system.aclose()

    return run_async(visit())


def _lab(arguments: argparse.Namespace) -> int:
    from console.practice.lab.command import run as lab

    _, config = _load(arguments)
    return lab(arguments.action, config.name, config, arguments.fault, sys.stdout)


def _drill(arguments: argparse.Namespace) -> int:
    from console.config import find_config, load_config
    from console.practice.drill.command import NEEDS_TERMINAL
    from console.practice.drill.command import run as drill

    if arguments.action in NEEDS_TERMINAL and not _has_terminal():
        return USAGE
    return drill(arguments, load_config(find_config(getattr(arguments, "config", None))).config, sys.stdout)


def _load(arguments: argparse.Namespace) -> "tuple[Loaded, SystemConfig]":
    from console.config import find_config, load_config

    loaded = load_config(find_config(getattr(arguments, "config", None)))
    try:
        return loaded, loaded.config.system(getattr(arguments, "system", None))
    except KeyError as error:
        raise Problems([Problem(str(loaded.path), 1, 1, str(error.args[0]))]) from None


def _warn(loaded: "Loaded") -> None:
    for warning in loaded.warnings:
        print(f"warning: {warning}", file=sys.stderr)


def _warn_of_guides(problem: Problem) -> None:
    print(f"warning: not loaded: {problem}", file=sys.stderr)


def _scenario(config: "SystemConfig", wanted: str, seed: int | None) -> str:
    from console.practice.simulated.system import choose_fault, fault_ids

    known = fault_ids(config)
    if not known:
        message = f"no practice stack plays the system {config.name}"
        raise Problems([Problem("--system", 1, 1, message, "Name one of the shipped guides under its guides in config.toml.")])
    if wanted == "random":
        return choose_fault(time.time_ns() if seed is None else seed, config)
    if wanted not in known:
        raise Problems([Problem("--scenario", 1, 1, f"there is no fault {wanted!r}", f"Known: {', '.join(known)}")])
    return wanted


def _told(fault: str, config: "SystemConfig") -> dict[str, str]:
    """What the user whom a practice fault hits would say: answers by step, inputs by name."""
    from console.practice.simulated.faults import replies_of

    answers, inputs = replies_of(fault, config)
    return {**answers, **inputs}


def _name_value(item: str) -> tuple[str, str]:
    name, separator, value = item.partition("=")
    if not separator or not name:
        raise Problems([Problem("--input", 1, 1, "one of them is not NAME=VALUE")])
    return name, value


def _seconds(text: str) -> float:
    value = float(text)
    if not 0.1 <= value <= 3600:
        raise argparse.ArgumentTypeError("must be between 0.1 and 3600")
    return value


def _has_terminal() -> bool:
    # Textual draws on standard error: redirected, it would fill a file with the screen.
    if all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        return True
    print("Triage's console needs a terminal; without one use `triage check` (see `triage check --help`).", file=sys.stderr)
    return False


def run_async(main: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` that ends when its work ends: a name lookup or a frozen socket in a thread is not waited for."""
    loop = asyncio.new_event_loop()
    try:
        task = loop.create_task(main)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, task.cancel)
        try:
            return loop.run_until_complete(task)
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        finally:
            rest = asyncio.all_tasks(loop)
            for other in rest:
                other.cancel()
            if rest:
                loop.run_until_complete(asyncio.wait(rest, timeout=1))
    finally:
        asyncio.set_event_loop(None)
        with contextlib.suppress(RuntimeError):
            loop.close()
