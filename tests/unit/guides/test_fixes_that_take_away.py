"""Fixes that end sessions and processes, or delete files: exactly what was listed, and nothing that has changed since."""

import pytest
from fixing import FIXES, backups, made
from guide_stack import GIB, MIB, NOW, Stack, session

from console.config import Environment
from console.guides.checks.files_backups import BackupFile, parse_listing, removable
from console.guides.fixes import preview_fix
from console.guides.fixes.adhoc import session_action
from console.guides.risk import Risk
from console.sources.protocols.engine import Reclaimable, State
from console.sources.protocols.host import PortOwner


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


async def test_losing_data_in_production_asks_for_environment_and_target() -> None:
    stack = Stack()
    stack.config = stack.config.model_copy(update={"environment": Environment.PRODUCTION})
    backups(stack)

    preview = await preview_fix(stack.system, FIXES["sms.c2.remove-old-backups"])

    assert preview.confirmation.expects == "production sms-db-backup"


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
