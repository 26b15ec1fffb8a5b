"""A user's password in the planner's own tables: hashed by the service, never shown, and left alone when it cannot be hashed."""

import json
from collections.abc import Mapping

from test_every_cause import ISSUES, stack
from turned_clock import Clock

from console.guides.fixes import apply_fix, preview_fix
from console.guides.fixes.action import Applied, Preview
from console.guides.issue import Fix
from console.guides.walk import Walk
from console.practice.simulated.faults import replies_of
from console.practice.simulated.web import hash_password
from console.system import System

FAULT = "planner.u1.hash-mismatch"
PASSWORD = "Dragonfly-19-Harbour"


def reset(system: System, clock: Clock, **given: str) -> Fix:
    """The fix as it is when a person has answered what it asks for."""
    issue = ISSUES["planner.u1"]
    inputs = {**replies_of(FAULT, system.config)[1], "password": PASSWORD, **given}
    walking = Walk(issue, system, inputs=inputs, clock=clock)
    fix = walking.bound(issue.fixes["reset"])
    walking.close()
    return fix


async def make(system: System, fix: Fix) -> tuple[Preview, Applied, str]:
    """Preview, result, and everything that was journalled."""
    journal: list[object] = []

    async def record(kind: str, details: Mapping[str, object]) -> None:
        journal.append((kind, dict(details)))

    preview = await preview_fix(system, fix)
    applied = await apply_fix(system, fix, preview, record)
    return preview, applied, json.dumps(journal, default=str)


async def stored(system: System) -> object:
    rows = await system.need_database().select("SELECT password_hash FROM users WHERE username = 'test'", None)
    return rows[0]["password_hash"]


async def test_the_services_own_hash_is_stored_and_the_password_is_nowhere(clock: Clock) -> None:
    system = stack(ISSUES["planner.u1"], FAULT, clock)
    await system.open()
    preview, applied, journal = await make(system, reset(system, clock))
    assert applied.done, applied
    assert await stored(system) == hash_password(PASSWORD)
    assert "$password" in preview.command
    assert PASSWORD not in f"{preview} {applied} {journal}"
    assert hash_password(PASSWORD) not in f"{preview} {applied} {journal}"
    await system.aclose()


async def test_nothing_is_stored_when_the_service_cannot_hash(clock: Clock) -> None:
    system = stack(ISSUES["planner.u1"], FAULT, clock)
    await system.open()
    before = await stored(system)
    fix = reset(system, clock)
    preview = await preview_fix(system, fix)
    await system.need_engine().stop(system.container("backend"))

    async def record(_kind: str, _details: Mapping[str, object]) -> None:
        """Kept nowhere."""

    applied = await apply_fix(system, fix, preview, record)
    assert not applied.done
    assert applied.failed is not None
    assert await stored(system) == before
    await system.aclose()


async def test_an_account_that_is_not_there_gets_no_password(clock: Clock) -> None:
    system = stack(ISSUES["planner.u1"], FAULT, clock)
    await system.open()
    preview = await preview_fix(system, reset(system, clock, username="nobody"))
    assert preview.empty
    await system.aclose()
