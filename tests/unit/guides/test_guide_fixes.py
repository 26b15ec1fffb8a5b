"""Fixes: what a preview lists, what is really done, and what is left alone because it has changed since."""

from dataclasses import replace

import pytest
from fixing import FIXES, Written, backups, made
from guide_stack import MIB, NAMES, Stack, timed_out

from console.guides.fixes import Applied, JournalFailed, apply_fix, preview_fix
from console.guides.fixes.adhoc import container_action
from console.guides.fixes.containers import MemoryLimit
from console.guides.risk import Asks, Risk
from console.reading import FailureKind, SourceError
from console.sources.protocols.engine import ExecResult, Health, State


async def test_starting_what_is_down_lists_it_and_starts_it_in_order() -> None:
    stack = Stack()
    for role in ("backend", "database"):
        stack.engine.change(role, state=State.EXITED, exit_code=1)
    fix = FIXES["sms.c1.start-down"]

    preview = await preview_fix(stack.system, fix)
    applied = await made(stack, fix, preview)

    assert [target.name for target in preview.targets] == ["sms-postgres", "sms-backend"]
    assert preview.command == "docker start sms-postgres && docker start sms-backend"
    assert preview.confirmation.asks is Asks.LETTER
    assert applied == Applied(True, ("Started sms-postgres.", "Started sms-backend."))
    assert stack.engine.done == ["start sms-postgres", "start sms-backend"]


@pytest.mark.parametrize(("fix", "role"), [("sms.c1.start-down", "cache"), ("sms.c2.start-database", "database")])
async def test_a_paused_container_goes_on_where_it_was(fix: str, role: str) -> None:
    stack = Stack()
    stack.engine.change(role, state=State.PAUSED)

    preview = await preview_fix(stack.system, FIXES[fix])
    applied = await made(stack, FIXES[fix], preview)

    assert preview.command == f"docker unpause {NAMES[role]}"
    assert preview.lines == (f"unpause {NAMES[role]}: paused",)
    assert applied == Applied(True, (f"{NAMES[role]} goes on.",))
    assert stack.engine.done == [f"start {NAMES[role]}"]


async def test_everything_is_really_restarted_also_what_is_paused() -> None:
    stack = Stack()
    stack.engine.change("cache", state=State.PAUSED)

    await made(stack, FIXES["sms.c1.restart-all"])

    assert "restart sms-redis" in stack.engine.done


async def test_the_backend_of_a_route_that_is_gone_is_restarted_and_must_reach_the_database() -> None:
    fix = FIXES["sms.c1.restart-backend"]
    stack = Stack()

    await made(stack, fix)

    assert stack.engine.done == ["restart sms-backend"]
    assert fix.verify is not None
    assert fix.verify.check.name == "probe.from_backend"


async def test_nothing_down_is_an_empty_preview_that_cannot_be_applied() -> None:
    stack = Stack()
    preview = await preview_fix(stack.system, FIXES["sms.c1.start-down"])

    applied = await made(stack, FIXES["sms.c1.start-down"], preview)

    assert preview.empty
    assert not applied.done
    assert stack.engine.done == []


async def test_a_container_that_was_made_anew_since_the_preview_is_left_alone() -> None:
    stack = Stack()
    stack.engine.change("backend", state=State.EXITED)
    preview = await preview_fix(stack.system, FIXES["sms.c1.start-down"])
    stack.engine.change("backend", id="another")

    applied = await made(stack, FIXES["sms.c1.start-down"], preview)

    assert not applied.done
    assert applied.failed is not None
    assert "another container" in applied.failed.message
    assert stack.engine.done == []


async def test_what_somebody_else_started_meanwhile_is_not_restarted() -> None:
    stack = Stack()
    stack.engine.change("backend", state=State.EXITED)
    preview = await preview_fix(stack.system, FIXES["sms.c1.start-down"])
    stack.engine.change("backend", state=State.RUNNING)

    applied = await made(stack, FIXES["sms.c1.start-down"], preview)

    assert applied.lines == ("sms-backend runs by now: left alone.",)
    assert stack.engine.done == []


async def test_everything_is_restarted_in_the_configured_order() -> None:
    stack = Stack()

    await made(stack, FIXES["sms.c1.restart-all"])

    assert stack.engine.done == [f"restart {NAMES[role]}" for role in ("database", "cache", "backend", "proxy")]


async def test_only_unhealthy_containers_are_restarted() -> None:
    stack = Stack()
    stack.engine.change("backend", health=Health.UNHEALTHY)

    await made(stack, FIXES["sms.c1.restart-unhealthy"])

    assert stack.engine.done == ["restart sms-backend"]


async def test_a_restart_of_the_database_asks_for_its_name() -> None:
    preview = await preview_fix(Stack().system, FIXES["sms.c2.start-database"])

    assert (preview.risk, preview.confirmation.asks, preview.confirmation.expects) == (Risk.R3, Asks.TYPE, "sms-postgres")


async def test_an_engine_that_fails_half_way_says_what_was_done() -> None:
    stack = Stack()
    preview = await preview_fix(stack.system, FIXES["sms.c1.restart-all"])
    restart = stack.engine.restart

    async def failing(name: str) -> None:
        if name == "sms-backend":
            raise timed_out("The engine")
        await restart(name)

    stack.engine.restart = failing  # type: ignore[method-assign]
    applied = await made(stack, FIXES["sms.c1.restart-all"], preview)

    assert not applied.done
    assert [line.split(".")[0] for line in applied.lines] == ["Restarted sms-postgres", "Restarted sms-redis"]
    assert applied.failed is not None
    assert applied.failed.kind is FailureKind.TIMEOUT


async def test_the_memory_limit_is_doubled_and_the_compose_line_shown() -> None:
    stack = Stack()
    stack.engine.change("backend", state=State.RESTARTING)

    preview = await preview_fix(stack.system, FIXES["sms.c3.raise-memory"])
    await made(stack, FIXES["sms.c3.raise-memory"], preview)

    assert "in docker-compose.yml, to keep it: mem_limit: 512m" in preview.lines
    assert preview.way_back.endswith(f"--memory {256 * MIB} --memory-swap {256 * MIB} sms-backend")
    assert stack.engine.done == [f"limit {512 * MIB} sms-backend"]


async def test_no_more_memory_is_given_than_the_machine_has() -> None:
    stack = Stack()
    stack.host.available_bytes = 100 * MIB

    assert "100.0 MiB" in (await preview_fix(stack.system, FIXES["sms.c3.raise-memory"])).empty


async def test_only_the_container_that_is_short_of_memory_gets_more() -> None:
    stack = Stack()
    fix = replace(FIXES["sms.c3.raise-memory"], parameters=MemoryLimit(role="backend", short_at=90))

    assert "39 % of its memory limit" in (await preview_fix(stack.system, fix)).empty

    stack.engine.change("backend", memory_limit_bytes=105 * MIB)
    assert (await preview_fix(stack.system, fix)).can_apply

    stack.engine.change("backend", memory_limit_bytes=256 * MIB, state=State.EXITED, oom_killed=True)
    assert (await preview_fix(stack.system, fix)).can_apply


async def test_a_migration_is_taken_back_and_the_backend_restarted() -> None:
    stack = Stack()
    fix = FIXES["sms.c3.roll-back"]

    preview = await preview_fix(stack.system, fix)
    applied = await made(stack, fix, preview)

    assert "0003_indexes (head)" in preview.lines
    assert stack.engine.done[-2:] == ["run_like sms-backend python -m backend.migrations downgrade -1", "restart sms-backend"]
    assert applied.done


async def test_a_rollback_that_fails_is_told_and_nothing_restarted() -> None:
    stack = Stack()
    preview = await preview_fix(stack.system, FIXES["sms.c3.roll-back"])
    stack.engine.ran = ExecResult(1, b"", b"no such revision\n")

    applied = await made(stack, FIXES["sms.c3.roll-back"], preview)

    assert applied.failed is not None
    assert "no such revision" in applied.lines
    assert not any(item.startswith("restart") for item in stack.engine.done)


@pytest.mark.parametrize(
    "name", ["sms.c1.start-engine", "sms.c2.show-login", "sms.c2.restore-by-hand", "sms.c3.rebuild", "sms.c3.show-log"]
)
async def test_what_is_only_shown_has_a_command_and_changes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMS_DB_PASSWORD", "correct-horse-battery")
    stack = Stack()
    backups(stack)

    preview = await preview_fix(stack.system, FIXES[name])
    applied = await made(stack, FIXES[name], preview)

    assert preview.command
    assert preview.lines
    assert "correct-horse-battery" not in repr(preview)
    assert not preview.can_apply
    assert not applied.done
    assert stack.engine.done == []


async def test_a_fix_is_written_down_before_and_after() -> None:
    stack, journal = Stack(), Written()
    stack.engine.change("backend", state=State.EXITED)
    fix = FIXES["sms.c1.start-down"]

    await apply_fix(stack.system, fix, await preview_fix(stack.system, fix), journal.record)

    assert [kind for kind, _ in journal.entries] == ["fix_begins", "fix_ends"]
    found = {"name": "sms-backend", "container": "sms-backend", "id": "id-backend", "state": "exited"}
    assert journal.entries[0][1]["targets"] == [found]


async def test_what_cannot_be_written_down_is_not_done() -> None:
    stack = Stack()
    stack.engine.change("backend", state=State.EXITED)
    fix = FIXES["sms.c1.start-down"]
    preview = await preview_fix(stack.system, fix)

    with pytest.raises(JournalFailed, match="nothing was changed"):
        await apply_fix(stack.system, fix, preview, Written(fails=0).record)

    assert stack.engine.done == []


async def test_a_journal_that_fails_afterwards_is_told() -> None:
    stack = Stack()
    stack.engine.change("backend", state=State.EXITED)
    fix = FIXES["sms.c1.start-down"]

    applied = await apply_fix(stack.system, fix, await preview_fix(stack.system, fix), Written(fails=1).record)

    assert applied.done
    assert "journal could not be written" in applied.lines[-1]


@pytest.mark.parametrize(
    ("verb", "role", "risk", "done"),
    [("stop", "backend", Risk.R2, "stop"), ("restart", "database", Risk.R3, "restart"), ("stop", "cache", Risk.R3, "stop")],
)
async def test_a_container_is_changed_from_its_pane_by_the_same_rules(verb: str, role: str, risk: Risk, done: str) -> None:
    stack = Stack()
    fix = container_action(stack.system, verb, NAMES[role])  # type: ignore[arg-type]

    preview = await preview_fix(stack.system, fix)
    applied = await made(stack, fix, preview)

    assert (preview.risk, preview.command) == (risk, f"docker {verb} {NAMES[role]}")
    assert applied.done
    assert stack.engine.done == [f"{done} {NAMES[role]}"]


async def test_starting_what_runs_is_an_empty_preview() -> None:
    stack = Stack()

    preview = await preview_fix(stack.system, container_action(stack.system, "start", "sms-redis"))

    assert (preview.empty, preview.command) == ("sms-redis runs already.", "docker start sms-redis")


async def test_a_container_that_is_gone_is_told_as_a_failure() -> None:
    stack = Stack()

    with pytest.raises(SourceError, match="no container sms-nothing"):
        await preview_fix(stack.system, container_action(stack.system, "start", "sms-nothing"))
