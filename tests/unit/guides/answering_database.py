"""A database whose answers a test chooses, and the checks and fixes of PostgreSQL made on it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from guide_stack import FakeDatabase, Stack, sms_config

from console.guides.checks.check import Outcome, run_check
from console.guides.checks.registry import find_check
from console.guides.fixes.action import action
from console.guides.issue import CheckCall, Fix
from console.guides.readings import Readings
from console.reading import SourceError
from console.sources.protocols.database import Activity, Value, Waiter
from console.system import System

Rows = Sequence[Mapping[str, Value]]


@dataclass
class Answering(FakeDatabase):
    """A database whose answers are chosen by the tag of the question, and which keeps what it was told to do."""

    answers: dict[str, Rows | SourceError] = field(default_factory=dict)
    roots: tuple[Waiter, ...] = ()
    deadlocks: int | None = 0
    executed: list[tuple[str, bool]] = field(default_factory=list)
    changed: list[tuple[str, Mapping[str, Value] | None, int]] = field(default_factory=list)
    on_execute: Callable[[str], None] = lambda _statement: None

    async def activity(self) -> Activity:
        return replace(await super().activity(), roots=self.roots, deadlocks=self.deadlocks)

    async def select(
        self, query: str, parameters: Mapping[str, Value] | None = None, *, limit: int = 500, timeout_s: float = 5.0
    ) -> Rows:
        del parameters, timeout_s
        answer = next((rows for tag, rows in self.answers.items() if f"triage: {tag} " in query or tag in query), ())
        if isinstance(answer, SourceError):
            raise answer
        return answer[:limit]

    async def execute(self, statement: str, *, timeout_s: float = 60.0, administer: bool = False) -> None:
        assert timeout_s > 0
        self.on_execute(statement)
        self.executed.append((statement, administer))

    async def change(self, statement: str, parameters: Mapping[str, Value] | None = None, *, most_rows: int) -> int:
        self.changed.append((statement, parameters, most_rows))
        return 1

    async def set_password(self, user: str, password: str) -> None:
        self.changed.append((user, {"password": password}, 0))


def system(database: FakeDatabase, **changes: Any) -> System:
    stack = Stack(config=sms_config().model_copy(update=changes))
    stack.database = database
    return stack.system


async def made(database: FakeDatabase, name: str, parameters: Mapping[str, Any] | None = None, **changes: Any) -> Outcome:
    check = find_check(name)
    assert check is not None
    readings = Readings(system(database, **changes))
    return await run_check(CheckCall(name, check.parameters.model_validate(parameters or {})), readings)


def fix(name: str, parameters: Mapping[str, Any] | None = None) -> Fix:
    kind = action(name)
    return Fix("it", "Mend it", kind.risk, name, kind.parameters.model_validate(parameters or {}))


async def keep(kind: str, details: Mapping[str, object]) -> None:
    del kind, details
