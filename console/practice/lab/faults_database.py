"""Faults of sms.c2, database connection failures."""

import base64
import json
import secrets

from console.practice.lab.fault import LabFault, Notes
from console.practice.lab.old_backups import prepare_backups, remove_backups, write_backups
from console.practice.lab.pieces import DEADLINE_S
from console.practice.lab.spec import Service
from console.practice.lab.target import Target

LEAK = "/lab/idle_sessions.py"


def damaged(page: bytes) -> bytes:
    """A page of a table as a failing disk may leave it: its checksum no longer fits. Damaging it twice mends it."""
    return page[:4000] + bytes(byte ^ 0xFF for byte in page[4000:4064]) + page[4064:]


def _leak(target: Target, _notes: Notes) -> None:
    target.leave_running(Service.LOAD, "timeout", str(DEADLINE_S), "python", LEAK)


def _refused(target: Target, _notes: Notes) -> bool:
    result = target.as_user("SELECT 1")
    return result.exit_code != 0 and ("reserved" in result.stderr or "too many clients" in result.stderr)


def _stop_leak(target: Target, _notes: Notes) -> None:
    target.kill(Service.LOAD, LEAK)
    target.start_database()
    target.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'grade-export'")


def _fill(target: Target, notes: Notes) -> None:
    write_backups(target, notes)
    used_up = f"{_last_path(notes)}.part"
    target.run(Service.BACKUP, "sh", "-c", f"cat /dev/zero >> {used_up} 2>/dev/null")


def _empty(target: Target, notes: Notes) -> None:
    remove_backups(target, notes)
    target.run(Service.BACKUP, "rm", "-f", f"{_last_path(notes)}.part")
    target.start_database()


def _last_path(notes: Notes) -> str:
    names = [name for name, _, _ in json.loads(notes["files"])]
    return f"/var/lib/postgresql/backups/{names[-1] if names else 'student_management.sql.gz'}"


def _cannot_write(target: Target, _notes: Notes) -> bool:
    # A sort that spills to disk. A temporary table would show the same, but it changes the catalogs: PostgreSQL then throws
    # away its cache of them, cannot write it anew, and refuses every login instead.
    sort = "SELECT count(*) FROM (SELECT repeat('x', 500) || n FROM generate_series(1, 20000) AS n ORDER BY 1) AS sorted"
    result = target.as_user(f"SET work_mem = '64kB'; {sort}")
    return "No space left on device" in result.stderr


def corrupted(identity: str, title: str, relation: str, question: str) -> LabFault:
    """The first page of a table or index is damaged on disk; `question` is a statement that meets it."""

    def prepare(target: Target) -> Notes:
        target.sql("CHECKPOINT")
        path = f"{target.data}/{target.sql(f'SELECT pg_relation_filepath($${relation}$$)')}"
        return {"path": path, "page": base64.b64encode(target.read_page(path)).decode()}

    def inject(target: Target, notes: Notes) -> None:
        target.stop(Service.DATABASE)  # Clean, so that no log replay mends the page at the next start.
        target.write_page(notes["path"], damaged(base64.b64decode(notes["page"])))
        target.start_database()

    def bites(target: Target, _notes: Notes) -> bool:
        return "invalid page in block" in target.as_user(question).stderr

    def undo(target: Target, notes: Notes) -> None:
        good = base64.b64decode(notes["page"])
        target.start(Service.BACKUP)
        if target.read_page(notes["path"]) == damaged(good):  # Else it was restored, made anew, or never damaged.
            target.stop(Service.DATABASE)
            target.write_page(notes["path"], good)
        target.start_database()

    return LabFault(identity, title, inject, bites, undo, prepare)


def _change_password(target: Target, _notes: Notes) -> None:
    target.sql(f"ALTER ROLE sms_user PASSWORD '{secrets.token_hex(12)}'")
    target.drop_backend_sessions()


def _login_refused(target: Target, _notes: Notes) -> bool:
    return "password authentication failed" in target.as_user("SELECT 1").stderr


def _password_back(target: Target, _notes: Notes) -> None:
    target.start_database()
    target.sql(f"ALTER ROLE sms_user PASSWORD '{target.password()}'")


DATABASE_FAULTS = (
    LabFault(
        "sms.c2.database-down",
        "PostgreSQL's container is stopped",
        inject=lambda target, _: target.stop(Service.DATABASE),
        bites=lambda target, _: not target.running(Service.DATABASE),
        undo=lambda target, _: target.start_database(),
    ),
    LabFault(
        "sms.c2.pool-exhausted",
        "A report job holds idle sessions until new logins are refused",
        inject=_leak,
        bites=_refused,
        undo=_stop_leak,
    ),
    LabFault(
        "sms.c2.disk-full",
        "Old backups fill the data volume entirely; PostgreSQL cannot write",
        prepare=lambda target: prepare_backups(100, target),
        inject=_fill,
        bites=_cannot_write,
        undo=_empty,
    ),
    # The table of courses is one page, and nearly every request reads it.
    corrupted(
        "sms.c2.corrupted",
        "A page of a table is damaged on disk; PostgreSQL reports it as invalid",
        "course",
        "SELECT count(*) FROM course",
    ),
    LabFault(
        "sms.c2.login-refused",
        "The password of sms_user was changed",
        inject=_change_password,
        bites=_login_refused,
        undo=_password_back,
    ),
)
