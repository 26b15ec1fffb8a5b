"""Fixes: what a preview lists, what is really done, and what is left alone because it has changed since."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from guide_stack import GIB, MIB, NAMES, NOW, Stack, session, timed_out

from console.config import Environment
from console.guides.checks.files_backups import BackupFile, parse_listing, removable
from console.guides.fixes import Applied, JournalFailed, Preview, apply_fix, preview_fix
from console.guides.fixes.adhoc import container_action, session_action
from console.guides.fixes.containers import MemoryLimit
from console.guides.issue import Fix
from console.guides.loader import load_issues
from console.guides.risk import Asks, Risk
from console.reading import FailureKind, SourceError
from console.sources.protocols.engine import ExecResult, Health, Reclaimable, State
from console.sources.protocols.host import PortOwner

FIXES = {f"{issue.id}.{fix.id}": fix for issue in load_issues(("sms",)) for fix in issue.fixes.values()}
NIGHT_S = 86_400.0


class Written:
    """A journal in memory; `fails` says from which entry on it cannot be written."""

    def __init__(self, fails: int = 1000) -> None:
        self.entries: list[tuple[str, Mapping[str, object]]] = []
        self._fails = fails

    async def record(self, kind: str, details: Mapping[str, object]) -> None:
        if len(self.entries) >= self._fails:
            raise OSError(28, "No space left on device")
        self.entries.append((kind, details))


async def made(stack: Stack, fix: Fix, preview: Preview | None = None) -> Applied:
    return await apply_fix(stack.system, fix, preview or await preview_fix(stack.system, fix), Written().record)


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


def sessions_of_all_kinds(stack: Stack) -> None:
    stack.database.sessions = [
        session(1, "idle", 7200),
        session(2, "idle", 3700),
        session(3, "idle", 60),
        session(4, "idle", 2),
        session(5, "active", 9000),
        session(6, "idle in transaction", 9000, application="report", client="172.18.0.9:51514"),
        session(7, "idle", 9000, backend_type="walsender"),
        session(8, "", 9000, hidden=True),
        session(9, "idle", 0, state_age_s=None),
    ]


@pytest.mark.parametrize(
    ("name", "pids"),
    [("end-long-idle", [1, 2]), ("end-idle", [1, 2, 3]), ("end-largest-holder", [5, 1, 2, 3, 4, 9])],
)
async def test_exactly_the_sessions_that_are_meant_are_listed_and_ended(name: str, pids: list[int]) -> None:
    stack = Stack()
    sessions_of_all_kinds(stack)
    fix = FIXES[f"sms.c2.{name}"]

    preview = await preview_fix(stack.system, fix)
    applied = await made(stack, fix, preview)

    assert [target.identity["pid"] for target in preview.targets] == pids
    assert len(preview.lines) == len(pids) + 1
    assert preview.confirmation.expects == "student_management"
    assert stack.database.ended == pids
    assert applied.done


async def test_a_pid_that_belongs_to_somebody_else_by_now_is_not_ended() -> None:
    stack = Stack()
    sessions_of_all_kinds(stack)
    preview = await preview_fix(stack.system, FIXES["sms.c2.end-long-idle"])
    stack.database.sessions[0] = session(1, "active", 0, backend_start=NOW)

    applied = await made(stack, FIXES["sms.c2.end-long-idle"], preview)

    assert stack.database.ended == [2]
    assert applied.lines == ("Ended 1 session.", "1 session was gone, at work again, or not to be ended.")


async def test_an_idle_session_that_is_at_work_by_now_is_not_ended() -> None:
    stack = Stack()
    sessions_of_all_kinds(stack)
    preview = await preview_fix(stack.system, FIXES["sms.c2.end-long-idle"])
    stack.database.sessions[0] = session(1, "active", 0)

    applied = await made(stack, FIXES["sms.c2.end-long-idle"], preview)

    assert stack.database.ended == [2]
    assert applied.lines[1].startswith("1 session was gone, at work again")


async def test_hidden_sessions_are_told_in_the_preview() -> None:
    stack = Stack()
    stack.database.hidden = 3

    preview = await preview_fix(stack.system, FIXES["sms.c2.end-idle"])

    assert any("3 sessions are hidden" in line for line in preview.lines)


async def test_no_idle_session_says_so() -> None:
    preview = await preview_fix(Stack().system, FIXES["sms.c2.end-long-idle"])

    assert preview.empty == "No session is idle for over 1 h."
    assert not preview.can_apply


def backups(stack: Stack) -> None:
    stack.engine.files = {f"student_management_{day}.sql.gz": (MIB * 10, NOW - day * NIGHT_S) for day in range(5)}


async def test_all_but_the_newest_backups_are_listed_and_removed() -> None:
    stack = Stack()
    backups(stack)
    fix = FIXES["sms.c2.remove-old-backups"]

    preview = await preview_fix(stack.system, fix)
    applied = await made(stack, fix, preview)

    assert [target.name for target in preview.targets] == [f"student_management_{day}.sql.gz" for day in (2, 3, 4)]
    assert (preview.risk, preview.confirmation.expects) == (Risk.R4, "lab sms-db-backup")
    assert applied.lines == ("Deleted 3 files.",)
    assert sorted(stack.engine.files) == ["student_management_0.sql.gz", "student_management_1.sql.gz"]


async def test_a_backup_that_is_being_written_since_the_preview_is_left_alone() -> None:
    stack = Stack()
    backups(stack)
    preview = await preview_fix(stack.system, FIXES["sms.c2.remove-old-backups"])
    stack.engine.files["student_management_3.sql.gz"] = (MIB * 11, NOW)

    applied = await made(stack, FIXES["sms.c2.remove-old-backups"], preview)

    assert "student_management_3.sql.gz" in stack.engine.files
    assert applied.lines[1] == "1 file had changed or gone since the preview and were left alone."


def test_an_empty_file_never_pushes_out_a_good_backup() -> None:
    files = parse_listing("300.0 0 new.gz\n200.0 5 good.gz\n100.0 5 old.gz\n50.0 5 oldest one.gz\nnonsense\n")

    assert removable(files, 2) == (BackupFile("new.gz", 0, 300.0), BackupFile("oldest one.gz", 5, 50.0))
    assert removable(files[:1], 1) == ()


def test_a_file_name_cannot_forge_a_line_that_leads_out_of_the_folder() -> None:
    listed = parse_listing("300.0 5 good.gz\n200.0 5 evil\n100.0 5 ../data/PG_VERSION\n50.0 5 tab\tname.gz\n")
    assert [item.name for item in listed] == ["good.gz", "evil"]


async def test_the_process_that_holds_the_port_is_ended_and_no_other() -> None:
    stack = Stack()
    stack.engine.change("proxy", state=State.EXITED, error="port is already allocated", ports=())
    stack.host.owners = [
        PortOwner(8080, 4711, "python3", "python3 -m http.server", "deploy", NOW - 60),
        PortOwner(5432, 1, "docker-proxy", "docker-proxy", "root", NOW - 60),
    ]
    fix = FIXES["sms.c1.end-process"]

    preview = await preview_fix(stack.system, fix)
    applied = await made(stack, fix, preview)

    assert (preview.command, preview.confirmation.expects) == ("kill 4711", "python3")
    assert applied.done
    assert stack.host.ended == [4711]


@pytest.mark.parametrize("owner", [PortOwner(8080, None, "", ""), PortOwner(8080, 77, "docker-proxy", "x", "root", NOW)])
async def test_a_holder_that_cannot_be_ended_from_here_is_named(owner: PortOwner) -> None:
    stack = Stack()
    stack.engine.change("proxy", state=State.EXITED, error="port is already allocated", ports=())
    stack.host.owners = [owner]

    assert "cannot be ended from here: port 8080" in (await preview_fix(stack.system, FIXES["sms.c1.end-process"])).empty


async def test_pruning_lists_what_goes_and_leaves_what_was_not_shown() -> None:
    stack = Stack()
    stack.engine.unused = (Reclaimable("images", (("old:1", GIB),)), Reclaimable("volumes", (("data", 5 * MIB),)))
    stack.engine.change("proxy", state=State.EXITED)
    fix = FIXES["sms.c1.prune-and-start"]

    preview = await preview_fix(stack.system, fix)
    stack.engine.unused = (stack.engine.unused[0], Reclaimable("volumes", (("data", 5 * MIB), ("precious", 1))))
    await made(stack, fix, preview)

    assert "volume data  5.0 MiB" in preview.lines
    assert preview.confirmation.expects == "lab prune"
    assert stack.engine.done == ["prune images", "start sms-frontend-proxy"]


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
    assert journal.entries[0][1]["targets"] == [{"name": "sms-backend", "container": "sms-backend", "id": "id-backend"}]


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


async def test_losing_data_in_production_asks_for_environment_and_target() -> None:
    stack = Stack()
    stack.config = stack.config.model_copy(update={"environment": Environment.PRODUCTION})
    backups(stack)

    preview = await preview_fix(stack.system, FIXES["sms.c2.remove-old-backups"])

    assert preview.confirmation.expects == "production sms-db-backup"


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

    assert (
        await preview_fix(stack.system, container_action(stack.system, "start", "sms-redis"))
    ).empty == "sms-redis runs already."


async def test_a_container_that_is_gone_is_told_as_a_failure() -> None:
    stack = Stack()

    with pytest.raises(SourceError, match="no container sms-nothing"):
        await preview_fix(stack.system, container_action(stack.system, "start", "sms-nothing"))


async def test_one_session_is_cancelled_or_ended_from_its_pane() -> None:
    stack = Stack()
    target = stack.database.sessions[1]

    cancel = session_action(stack.system, "cancel", target.pid, target.backend_start)
    end = session_action(stack.system, "terminate", target.pid, target.backend_start)
    await made(stack, cancel)
    await made(stack, end)

    assert (cancel.risk, end.risk) == (Risk.R2, Risk.R3)
    assert (stack.database.cancelled, stack.database.ended) == ([101], [101])
    assert "not there any more" in (await preview_fix(stack.system, end)).empty


async def test_a_replication_session_is_never_ended_from_its_pane() -> None:
    stack = Stack()
    stack.database.sessions = [session(50, "active", 5, backend_type="walsender")]

    fix = session_action(stack.system, "terminate", 50, stack.database.sessions[0].backend_start)

    assert (await preview_fix(stack.system, fix)).empty
