"""What a change is: its preview, its targets with their identity, its result, and the order in which these happen."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from pydantic import BaseModel

from console.config import Environment
from console.guides.inputs import not_given
from console.guides.issue import Fix
from console.guides.risk import Confirmation, Risk, confirmation
from console.reading import Failure, SourceError
from console.system import System

Record = Callable[[str, Mapping[str, object]], Awaitable[None]]
"""Writes one journal entry, kind and details, durably; raises OSError when it cannot, and then nothing is changed."""


class JournalFailed(Exception):
    """The change was not made, because it could not be written down before."""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that is hit. `identity` is what must still be the same when acting (container id; pid and start; size, time), and
    the state in which it was found."""

    name: str
    identity: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a fix would do now. Nothing has been changed. Texts are clean."""

    fix: str
    title: str
    risk: Risk
    targets: tuple[Target, ...]
    lines: tuple[str, ...]
    """What will be hit, a line each."""
    effect: str
    way_back: str
    command: str
    """What a person would type."""
    confirmation: Confirmation
    empty: str = ""
    """Why there is nothing to do; then it cannot be applied, and the next fix should be offered."""
    shown_only: bool = False
    """The console does not make this change itself: the command is for the person."""

    @property
    def can_apply(self) -> bool:
        return not self.empty and not self.shown_only


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done. `done` is False when nothing or only a part was changed; `failed` says what went wrong."""

    done: bool
    lines: tuple[str, ...]
    failed: Failure | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What an action found out about its targets; `preview_fix` makes the Preview of it."""

    targets: tuple[Target, ...]
    lines: tuple[str, ...]
    effect: str
    way_back: str
    command: str
    confirm_name: str
    """The name that R3 and R4 ask for: container, database, process."""
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """A kind of change. `do` is None for what is only shown. `do` checks each target's identity again before it acts."""

    name: str
    parameters: type[BaseModel]
    risk: Risk
    """The least that this kind of change implies."""
    plan: Callable[[System, Any], Awaitable[Plan]]
    do: Callable[[System, Any, Preview], Awaitable[Applied]] | None
    ahead: bool = True
    """Whether its preview is cheap enough for `triage check`, which shows it without being asked."""


FAMILIES = ("backup", "cache", "containers", "engine", "files", "host", "migration", "postgres", "service", "show")
"""Each has a file of its name."""

_ELSEWHERE: dict[str, str] = {
    "backup.restore": "backup_restore",
    "backup.take_back": "backup_kept",
    "backup.drop_kept": "backup_kept",
    "containers.run": "containers_run",
    "files.remove_old": "folders",
    "files.set_owner": "folders",
    "host.allow_port": "ports",
    "show.command": "show_settings",
    "show.setting": "show_settings",
    "show.text": "show_settings",
    "show.wait": "show_settings",
    "postgres.analyze": "postgres_tables",
    "postgres.cancel_long": "postgres_sessions",
    "postgres.change": "postgres_change",
    "postgres.create_database": "postgres_server",
    "postgres.create_index": "postgres_tables",
    "postgres.end_blocker": "postgres_sessions",
    "postgres.end_long": "postgres_sessions",
    "postgres.reindex": "postgres_tables",
    "postgres.reset_password": "postgres_passwords",
    "postgres.set_password": "postgres_server",
    "postgres.set_setting": "postgres_server",
    "postgres.vacuum_full": "postgres_tables",
}
"""The actions that stand in another file than that of their family."""


def actions_of(family: str) -> tuple[Action, ...]:
    """The actions of one family, imported now."""
    if family not in FAMILIES:
        raise KeyError(family)
    others = [module for name, module in _ELSEWHERE.items() if name.startswith(f"{family}.")]
    return tuple(action for module in dict.fromkeys((family, *others)) for action in _actions_in(module))


def find_action(name: str) -> Action | None:
    """The action of that name, or None. Only its own file is imported."""
    family = name.partition(".")[0]
    if family not in FAMILIES:
        return None
    return next((action for action in _actions_in(_ELSEWHERE.get(name, family)) if action.name == name), None)


def _actions_in(module: str) -> tuple[Action, ...]:
    found: tuple[Action, ...] = import_module(f"console.guides.fixes.{module}").ACTIONS
    return found


def action(name: str) -> Action:
    """The action of that name; KeyError when there is none (a loaded issue names only those that exist)."""
    found = find_action(name)
    if found is None:
        raise KeyError(name)
    return found


async def preview_fix(system: System, fix: Fix) -> Preview:
    """Find out what the fix would hit now. Reads only; raises SourceError when that cannot be found out, and for a fix whose
    inputs are not bound."""
    _need_bound(fix)
    kind = action(fix.action)
    hide = system.secrets.hide
    plan = await kind.plan(system, fix.parameters)
    environment = system.config.environment
    return Preview(
        fix=fix.id,
        title=fix.title,
        risk=fix.risk,
        targets=tuple(replace(target, name=system.secrets.hide_known(target.name)) for target in plan.targets),
        lines=tuple(map(hide, plan.lines)),
        effect=hide(plan.effect),
        way_back=fix.way_back or plan.way_back,
        command=system.secrets.hide_known(plan.command),
        confirmation=confirmation(fix.risk, _known(environment), plan.confirm_name),
        empty=plan.empty,
        shown_only=kind.do is None,
    )


async def apply_fix(system: System, fix: Fix, preview: Preview, record: Record) -> Applied:
    """Make the change that was previewed, on the targets that are still the same. It is written down before and after.

    Raises JournalFailed when it could not be written down before: then nothing was changed. A source that fails is in
    `Applied.failed`.
    """
    _need_bound(fix)
    kind = action(fix.action)
    if kind.do is None or not preview.can_apply:
        return Applied(False, (preview.empty or "This is only shown: type the command yourself.",))
    details = {
        "fix": fix.id,
        "action": fix.action,
        "risk": fix.risk.value,
        "command": preview.command,
        "targets": [{"name": target.name, **target.identity} for target in preview.targets],
    }
    try:
        await record("fix_begins", details)
    except OSError as error:
        raise JournalFailed(f"The journal cannot be written ({error.strerror or error}), so nothing was changed.") from error
    try:
        applied = await kind.do(system, fix.parameters, preview)
    except SourceError as error:
        applied = Applied(False, (), error.failure)
    hide = system.secrets.hide
    applied = replace(applied, lines=tuple(map(hide, applied.lines)))
    try:
        await record(
            "fix_ends", {"fix": fix.id, "done": applied.done, "lines": list(applied.lines), "failed": str(applied.failed or "")}
        )
    except OSError as error:
        # The change is made: that cannot be taken back, so the person is told instead.
        applied = Applied(
            applied.done, (*applied.lines, f"The journal could not be written afterwards: {error.strerror}."), applied.failed
        )
    return applied


def _need_bound(fix: Fix) -> None:
    """A fix that still holds samples must never be made."""
    if fix.needs:
        failure = not_given(fix.needs[0].name)
        raise SourceError(failure.kind, failure.message, failure.advice)


def _known(environment: Environment | None) -> str | None:
    return environment.value if environment is not None else None
