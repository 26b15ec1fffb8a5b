"""Faults of sms.c3, backend crash loop."""

import base64
from collections.abc import Callable

from console.practice.lab.fault import LabFault, Notes
from console.practice.lab.spec import MIB, Service
from console.practice.lab.target import Target

TOO_LITTLE_BYTES = 24 * MIB
"""The backend needs about 36 MiB; below 20 the engine's own start of the process fails instead."""
LATER_REVISION = "0004_grade_weight"
API_FILE = "/app/backend/api.py"
SEMESTER_FILE = "/app/config/semester.json"


def with_missing_module(source: bytes) -> bytes:
    """The backend's source after a release that needs a library which its image does not have."""
    return source.replace(b"import hashlib\n", b"import hashlib\n\nimport openpyxl\n", 1)


def with_bad_semester(source: bytes) -> bytes:
    """The semester's settings after somebody typed a word for a number."""
    return source.replace(b'"length_days": 150', b'"length_days": "150 days"', 1)


def _file_fault(identity: str, title: str, path: str, change: Callable[[bytes], bytes], log_text: str) -> LabFault:
    """A fault that is a changed file in the backend's container and a restart."""

    def prepare(target: Target) -> Notes:
        return {"original": base64.b64encode(target.read(Service.BACKEND, path)).decode()}

    def swap(target: Target, content: bytes) -> None:
        target.stop(Service.BACKEND)
        target.write(Service.BACKEND, path, content)
        target.start(Service.BACKEND)

    def inject(target: Target, notes: Notes) -> None:
        swap(target, change(base64.b64decode(notes["original"])))

    def undo(target: Target, notes: Notes) -> None:
        original = base64.b64decode(notes["original"])
        if target.read(Service.BACKEND, path) == change(original):  # Else the container was made anew since.
            swap(target, original)
        else:
            target.start(Service.BACKEND)

    def bites(target: Target, _notes: Notes) -> bool:
        return target.crash_loops() and log_text in target.backend_log()

    return LabFault(identity, title, inject, bites, undo, prepare)


def _starve(target: Target, _notes: Notes) -> None:
    target.stop(Service.BACKEND)  # The engine refuses a limit below what is in use.
    target.limit_memory(Service.BACKEND, TOO_LITTLE_BYTES)
    target.start(Service.BACKEND)


def _killed_for_memory(target: Target, _notes: Notes) -> bool:
    return target.crash_loops() and bool(target.inspect(Service.BACKEND)["State"]["OOMKilled"])


def _feed(target: Target, _notes: Notes) -> None:
    if target.inspect(Service.BACKEND)["HostConfig"]["Memory"] == TOO_LITTLE_BYTES:  # Else somebody raised it.
        target.stop(Service.BACKEND)
        target.limit_memory(Service.BACKEND, target.made_with_memory(Service.BACKEND))
    target.start(Service.BACKEND)


def _revision_notes(target: Target) -> Notes:
    return {"revision": target.sql("SELECT version_num FROM alembic_version")}


def _move_revision(target: Target, old: str, new: str) -> None:
    statement = f"UPDATE alembic_version SET version_num = '{new}' WHERE version_num = '{old}'"  # noqa: S608 (our own names)
    target.sql(statement)


def _stamp(target: Target, notes: Notes) -> None:
    _move_revision(target, notes["revision"], LATER_REVISION)
    target.restart(Service.BACKEND)


def _migration_fails(target: Target, _notes: Notes) -> bool:
    return target.crash_loops() and "Alembic migration failed" in target.backend_log()


def _stamp_back(target: Target, notes: Notes) -> None:
    target.start_database()
    _move_revision(target, LATER_REVISION, notes["revision"])
    target.restart(Service.BACKEND)


BACKEND_FAULTS = (
    LabFault(
        "sms.c3.out-of-memory",
        "The backend's memory limit is lower than what it needs; it is killed at every start",
        inject=_starve,
        bites=_killed_for_memory,
        undo=_feed,
    ),
    _file_fault(
        "sms.c3.missing-dependency",
        "A release needs a Python module that is not in the backend's image",
        API_FILE,
        with_missing_module,
        "ModuleNotFoundError",
    ),
    LabFault(
        "sms.c3.migration-failed",
        "A later release has migrated the database; the backend does not know its revision",
        prepare=_revision_notes,
        inject=_stamp,
        bites=_migration_fails,
        undo=_stamp_back,
    ),
    _file_fault(
        "sms.c3.unhandled-exception",
        "A wrong setting of the semester ends the backend with a traceback at every start",
        SEMESTER_FILE,
        with_bad_semester,
        "Traceback",
    ),
)
