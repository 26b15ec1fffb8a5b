"""What faults are made of: each function gives a whole fault, its way back included. A new fault is a line in a table."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from console.practice.lab.fault import LabFault, Notes
from console.practice.lab.spec import ContainerSpec, Service
from console.practice.lab.target import Target

Bites = Callable[[Target, Notes], bool]
Commands = Callable[[Target], Sequence[Sequence[str]]]
DEFECTS = "/app/config/defects.json"
CLIENTS = "/lab/clients.py"
CLIENT = "report-job"
"""How the database sessions of badly behaved clients are labelled."""
DEADLINE_S = 5 * 3600
"""After which clients end by themselves, when nobody ends them: no round takes so long."""
KEPT = "triage_kept"
"""The schema into which a fault moves tables that are to be missing."""


def stopped(identity: str, title: str, service: Service, **said: Any) -> LabFault:
    """A service that was stopped."""
    return LabFault(
        identity,
        title,
        inject=lambda target, _: target.stop(service),
        bites=lambda target, _: not target.running(service),
        undo=lambda target, _: target.start(service),
        **said,
    )


def remade(
    identity: str,
    title: str,
    service: Service,
    change: Callable[[ContainerSpec, Target], ContainerSpec],
    bites: Bites,
    **said: Any,
) -> LabFault:
    """A container that was made anew, otherwise than it should be; `change` gives the same for the same lab."""

    def inject(target: Target, _notes: Notes) -> None:
        target.remake(change(target.spec(service), target))

    def undo(target: Target, _notes: Notes) -> None:
        planned = target.spec(service)
        target.remove_half_made(service)
        if target.gone(service) or target.is_made_as(change(planned, target)):  # Else somebody made it anew since.
            target.remake(planned)
        else:
            target.start(service)

    return LabFault(identity, title, inject, bites, undo, **said)


def told(
    identity: str,
    title: str,
    change: Callable[[Target], Mapping[str, str | None]],
    bites: Bites,
    service: Service = Service.BACKEND,
    **said: Any,
) -> LabFault:
    """A service whose environment differs from the expected one; None takes a variable away."""

    def merged(old: Mapping[str, str], target: Target) -> dict[str, str]:
        found = {**old, **change(target)}
        return {name: value for name, value in found.items() if value is not None}

    def in_spec(spec: ContainerSpec, target: Target) -> ContainerSpec:
        return replace(spec, environment=merged(spec.environment, target))

    container = remade(identity, title, service, in_spec, bites, **said)

    def in_file(text: bytes, target: Target) -> bytes:
        values = dict(line.split("=", 1) for line in text.decode().splitlines() if "=" in line)
        return "".join(f"{name}={value}\n" for name, value in merged(values, target).items()).encode()

    unit = changed(identity, title, service, "/opt/dotmac/.env", in_file, bites, **said)
    return replace(
        container,
        prepare=lambda target: unit.prepare(target) if target.unit(service) else {},
        inject=lambda target, notes: (unit if target.unit(service) else container).inject(target, notes),
        undo=lambda target, notes: (unit if target.unit(service) else container).undo(target, notes),
    )


def changed(
    identity: str,
    title: str,
    service: Service,
    path: str,
    change: Callable[[bytes, Target], bytes],
    bites: Bites,
    **said: Any,
) -> LabFault:
    """A file of a service that was changed, and a restart."""

    def prepare(target: Target) -> Notes:
        return {"original": base64.b64encode(target.read(service, path)).decode()}

    def original(notes: Notes) -> bytes:
        return base64.b64decode(notes["original"])

    def swap(target: Target, content: bytes) -> None:
        target.stop(service)
        target.write(service, path, content)
        target.start(service)

    def inject(target: Target, notes: Notes) -> None:
        swap(target, change(original(notes), target))

    def undo(target: Target, notes: Notes) -> None:
        if target.read(service, path) == change(original(notes), target):  # Else it was mended, or made anew, since.
            swap(target, original(notes))
        else:
            target.start(service)

    return LabFault(identity, title, inject, bites, undo, prepare, **said)


def release(identity: str, title: str, defects: Mapping[str, object], bites: Bites, **said: Any) -> LabFault:
    """A release of the backend with these defects (see `backend/defects.py` in the image)."""
    content = json.dumps(defects).encode()
    return changed(identity, title, Service.BACKEND, DEFECTS, lambda _old, _target: content, bites, **said)


def statements(identity: str, title: str, make: Sequence[str], unmake: Sequence[str], bites: str, **said: Any) -> LabFault:
    """Statements of the superuser, those that take them back (harmless when repeated), and a query that says `t` between."""

    def run(target: Target, texts: Sequence[str]) -> None:
        for text in texts:
            target.sql(text)

    def undo(target: Target, _notes: Notes) -> None:
        target.start_database()
        run(target, unmake)

    return LabFault(
        identity,
        title,
        inject=lambda target, _: run(target, make),  # Starts nothing: a stopped database may be another fault.
        bites=lambda target, _: target.sql(bites) == "t",
        undo=undo,
        **said,
    )


_LONG = (
    f"SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = '{CLIENT}' AND state = 'active' "  # noqa: S608 (our own name)
    "AND now() - query_start > interval '6 seconds'"
)


def clients(
    identity: str,
    title: str,
    commands: Commands,
    bites: Bites,
    **said: Any,
) -> LabFault:
    """Clients of the database or the service that behave badly, run beside the lab's usual traffic."""

    def inject(target: Target, _notes: Notes) -> None:
        for command in commands(target):
            started = ("timeout", str(DEADLINE_S), "env", f"CLIENT={CLIENT}", "python", CLIENTS)
            target.leave_running(Service.LOAD, *started, *command)

    def undo(target: Target, _notes: Notes) -> None:
        target.kill(Service.LOAD, CLIENTS)
        target.start_database()
        target.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{CLIENT}'")  # noqa: S608 (our own name)

    return LabFault(identity, title, inject, bites, undo, **said)


def long_statement(identity: str, title: str, table: str) -> LabFault:
    """A report that runs one statement for minutes; its owner does not try again when somebody ends it."""
    return clients(
        identity,
        title,
        lambda _target: [("statement", f"SELECT count(*) FROM {table}, pg_sleep(600)")],  # noqa: S608 (our own table)
        lambda target, _: target.sql(_LONG) == "t",
    )


def tables_away(tables: Sequence[str]) -> list[str]:
    """Statements that move tables out of sight, rows, indexes and sequences included."""
    moves = [f'ALTER TABLE IF EXISTS public."{table}" SET SCHEMA {KEPT}' for table in tables]
    return [f"CREATE SCHEMA IF NOT EXISTS {KEPT}", *moves]


def tables_back(tables: Sequence[str]) -> list[str]:
    """Statements that move them back, those of them whose place was not taken by new ones meanwhile."""
    moves = [
        f"DO $$ BEGIN IF to_regclass('public.\"{table}\"') IS NULL AND to_regclass('{KEPT}.\"{table}\"') IS NOT NULL "
        f'THEN ALTER TABLE {KEPT}."{table}" SET SCHEMA public; END IF; END $$'
        for table in tables
    ]
    return [*moves, f"DROP SCHEMA IF EXISTS {KEPT} CASCADE"]


def both(first: LabFault, second: LabFault) -> LabFault:
    """The first fault with the second beside it; taken back in the opposite order."""

    def part(notes: Notes, index: int) -> Notes:
        found: dict[str, str] = json.loads(notes[f"part{index}"])
        return {**found, "at": notes.get("at", "0")}

    def inject(target: Target, notes: Notes) -> None:
        first.inject(target, part(notes, 0))
        second.inject(target, part(notes, 1))

    def undo(target: Target, notes: Notes) -> None:
        try:
            second.undo(target, part(notes, 1))
        finally:  # Also when what the second one changed is gone.
            first.undo(target, part(notes, 0))

    return replace(
        first,
        inject=inject,
        undo=undo,
        bites=lambda target, notes: first.bites(target, part(notes, 0)) and second.bites(target, part(notes, 1)),
        prepare=lambda target: {f"part{n}": json.dumps(dict(item.prepare(target))) for n, item in enumerate((first, second))},
    )


def user_of(
    identity: str, title: str, bites: Bites, inject: Callable[[Target, Notes], None] | None = None, **said: Any
) -> LabFault:
    """Nothing is wrong with the system: it is the user, or what the user holds. `inject` is what the user does with it."""
    return LabFault(identity, title, inject or (lambda _target, _notes: None), bites, lambda _target, _notes: None, **said)


def down(target: Target, _notes: Notes) -> bool:
    """The backend does not run."""
    return not target.running(Service.BACKEND)


def logged(text: str, service: Service = Service.BACKEND) -> Bites:
    """The service has logged this text since the fault was made."""
    return lambda target, notes: text in target.log(service, 400, int(notes.get("at", "0")))


def answers(path: str, status: int, **request: Any) -> Bites:
    """The backend answers a request with this status; 0 is no answer."""
    return lambda target, _notes: target.ask(path, **request) == status


def every(*bites: Bites) -> Bites:
    """All of these."""
    return lambda target, notes: all(item(target, notes) for item in bites)
