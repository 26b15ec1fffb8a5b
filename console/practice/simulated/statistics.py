"""The world as rows of PostgreSQL's own views, in the columns of `views.VIEWS`."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from console.practice.simulated.catalogue import Index, TableStats
from console.practice.simulated.sessions import ServerSession
from console.practice.simulated.workload import DATABASE_OID

if TYPE_CHECKING:
    from console.practice.simulated.postgres import PostgresServer

PAGE_BYTES = 8192
PUBLIC_OID = 2_200
HEAP, BTREE = 2, 403
_MENTIONED = re.compile(r"\b(pg_\w+|current_\w+|to_regclass|version|bt_index_check|verify_heapam)\b", re.IGNORECASE)

Rows = list[tuple[Any, ...]]


def needs(sql: str) -> bool:
    """Whether a question reads anything of the server's own."""
    return _MENTIONED.search(sql) is not None


def views(server: "PostgresServer", now: float, counts: Mapping[str, int]) -> dict[str, Rows]:
    """The rows of every view. `counts`: how many rows each table holds."""
    oids = {name: server.workload.oid(name) for name in sorted(counts)}
    stats = {name: server.table_stats.get(name) or TableStats() for name in sorted(counts)}
    indexes = {name: index for name, index in sorted(server.indexes.items()) if index.table in oids}
    index_oids = {name: server.workload.oid(name) for name in indexes}
    live = {name: counts[name] if item.live is None else item.live for name, item in stats.items()}
    heap = {name: pages((live[name] + item.dead) * item.row_bytes) for name, item in stats.items()}
    index_bytes = {
        name: index.bytes if index.bytes is not None else pages(24 * (live[index.table] + stats[index.table].dead))
        for name, index in indexes.items()
    }
    total = {name: heap[name] + sum(index_bytes[key] for key, item in indexes.items() if item.table == name) for name in heap}
    newest = server.counters[-1] if server.counters else None
    started = moment(server.started_at)
    return {
        "server_state": [(server.name, server.user, server.size_bytes(sum(total.values())), server.version, started)],
        "pg_settings": [
            (item.name, item.value, item.unit or None, item.context, item.source, item.boot, item.boot, item.pending)
            for item in server.settings.values()
        ],
        "pg_database": [(5, "postgres", True, False)] + [(DATABASE_OID, server.name, True, False)] * server.exists,
        "pg_namespace": [(PUBLIC_OID, "public"), (11, "pg_catalog")],
        "pg_roles": [(10, "postgres", True, True, -1, None), (16_384, server.user, False, True, -1, None)],
        "pg_extension": [
            (13_000 + number, name, version, PUBLIC_OID) for number, (name, version) in enumerate(server.extensions.items())
        ],
        "pg_stat_database": [
            (
                DATABASE_OID,
                server.name,
                len(server.sessions),
                newest.commits,
                newest.rollbacks,
                newest.blocks_read,
                newest.blocks_hit,
                newest.deadlocks,
                0,
                3,
                4 << 20,
                server.checksum_failures,
                moment(server.checksum_failed_at),
                started,
            )
        ]
        if newest
        else [],
        "pg_stat_user_tables": [
            (
                oids[name],
                "public",
                name,
                item.seq_scans,
                item.seq_rows,
                item.idx_scans,
                item.idx_scans,
                item.inserted,
                item.updated,
                item.deleted,
                live[name],
                item.dead,
                item.changed,
                None,
                moment(item.vacuumed_at),
                None,
                moment(item.analyzed_at),
                0,
                int(item.vacuumed_at is not None),
                0,
                int(item.analyzed_at is not None),
            )
            for name, item in stats.items()
        ],
        "pg_statio_user_tables": [
            (oids[name], "public", name, heap[name] // PAGE_BYTES, 90 * item.idx_scans, 20, 40 * item.idx_scans)
            for name, item in stats.items()
        ],
        "pg_stat_user_indexes": [
            (oids[index.table], index_oids[name], "public", index.table, name, index.scans, index.scans, index.scans)
            for name, index in indexes.items()
        ],
        "pg_index": [
            (index_oids[name], oids[index.table], index.unique, index.primary, index.valid, True, True)
            for name, index in indexes.items()
        ],
        "pg_indexes": [("public", index.table, name, definition(name, index)) for name, index in indexes.items()],
        "pg_class": [(oids[name], name, PUBLIC_OID, "r", float(live[name]), heap[name] // PAGE_BYTES, HEAP, "p") for name in oids]
        + [
            (index_oids[name], name, PUBLIC_OID, "i", float(live[item.table]), index_bytes[name] // PAGE_BYTES, BTREE, "p")
            for name, item in indexes.items()
        ],
        "pg_am": [(HEAP, "heap"), (BTREE, "btree")],
        "pg_stat_statements": [
            (
                16_384,
                DATABASE_OID,
                1_000 + number,
                item.query,
                int(item.calls),
                item.total_ms,
                item.total_ms / item.calls,
                item.max_ms,
                item.total_ms / item.calls / 4,
                int(item.rows),
            )
            for number, item in enumerate(server.statements)
            if item.calls >= 1
        ],
        "pg_stat_activity": [_activity(server.name, session) for session in server.sessions],
        "pg_locks": [
            *(("relation", oids.get(lock.table), lock.holder.pid, lock.mode, True, None) for lock in server.locks.held),
            *(
                ("relation", oids.get(item.table), item.session.pid, "AccessShareLock", False, moment(item.since))
                for item in server.locks.waiting
            ),
        ],
        "blocked_by": [(item.session.pid, pid) for item in server.locks.waiting for pid in server.locks.blockers(item)],
        "relation_sizes": [(oids[name], name, heap[name], total[name]) for name in oids]
        + [(index_oids[name], name, index_bytes[name], index_bytes[name]) for name in indexes],
        "damaged_indexes": [(index_oids[name], name) for name in sorted(server.workload.damaged_indexes) if name in index_oids],
        "damaged_blocks": [(oids[name], block) for name, block in server.workload.damaged_blocks.items() if name in oids],
        "wal_files": [(f"{number:024X}", 16 << 20, moment(now)) for number in range(1, 1 + server.wal_files)],
    }


_BEHIND = {
    "pg_settings": ("current_setting",),
    "relation_sizes": ("pg_relation_size", "pg_table_size", "pg_total_relation_size", "pg_indexes_size", "to_regclass"),
    "damaged_indexes": ("bt_index_check",),
    "damaged_blocks": ("verify_heapam",),
    "pg_class": ("pg_filenode_relation",),
    "wal_files": ("pg_ls_waldir",),
    "blocked_by": ("pg_blocking_pids",),
}
"""What stands behind functions."""


def fill(server: "PostgresServer", rows: Mapping[str, Rows], sql: str) -> None:
    """Give the views that a question names, and those behind functions, their rows."""
    named = {name.lower() for name in _MENTIONED.findall(sql)}
    for view, content in rows.items():
        if view in named or view == "server_state" or not named.isdisjoint(_BEHIND.get(view, ())):
            server.tables.fill(view, content)


def pages(size_bytes: float) -> int:
    """Whole pages of 8 KiB, at least one."""
    return PAGE_BYTES * max(1, -int(-size_bytes // PAGE_BYTES))


def definition(name: str, index: Index) -> str:
    """CREATE INDEX as PostgreSQL writes it."""
    unique = "UNIQUE " if index.unique else ""
    quoted = f'"{index.table}"' if index.table in ("user", "order", "group") else index.table
    return f"CREATE {unique}INDEX {name} ON public.{quoted} USING btree ({', '.join(index.columns)})"


def moment(at: float | None) -> datetime | None:
    """Unix seconds as the engine takes a point in time."""
    return None if at is None else datetime.fromtimestamp(at, UTC)


def _activity(database: str, session: ServerSession) -> tuple[Any, ...]:
    address, _, port = session.client.partition(":")
    return (
        session.pid,
        moment(session.backend_start),
        database,
        session.user,
        session.application,
        address or None,
        int(port) if port.isdigit() else 40_000 + session.pid,
        "client backend",
        session.state,
        session.wait_type or None,
        session.wait_event or None,
        moment(session.query_start),
        moment(session.transaction_start),
        moment(session.state_change),
        session.query,
    )
