"""Rows → Activity."""

from typing import Any

import pytest

from console.sources.postgres.answers import activity, rates, wait

SERVER: dict[str, Any] = {
    "server_version": "15.4",
    "max_connections": 40,
    "reserved_connections": 3,
    "query_size_bytes": 1024,
    "in_recovery": False,
    "started_at": 1_000.0,
    "now": 2_000.0,
    "commits": 100,
    "rollbacks": 10,
    "hits": 900,
    "reads": 100,
    "deadlocks": 2,
}


def server(**changed: Any) -> dict[str, Any]:
    return SERVER | changed


def row(pid: int, **changed: Any) -> dict[str, Any]:
    return {
        "pid": pid,
        "backend_start": 1_500.25,
        "datname": "student_management",
        "usename": "sms_user",
        "application_name": "sms-backend",
        "client": "172.19.0.5:51022",
        "backend_type": "client backend",
        "state": "idle",
        "wait_event_type": "Client",
        "wait_event": "ClientRead",
        "query_age_s": 12.0,
        "transaction_age_s": None,
        "state_age_s": 11.5,
        "query": "SELECT 1",
    } | changed


def hidden_row(pid: int, **changed: Any) -> dict[str, Any]:
    """As PostgreSQL 15 shows another user's session to a role without pg_monitor (recorded)."""
    known = {"pid": pid, "datname": "shop", "usename": "app", "application_name": "clerk", "query": "<insufficient privilege>"}
    return dict.fromkeys(row(pid)) | known | changed


def test_sessions_are_counted_by_state_and_both_kinds_of_idle_in_transaction_are_told_apart() -> None:
    states = ["active", "idle", "idle", "idle in transaction", "idle in transaction (aborted)", None]
    found = activity(SERVER, [row(pid, state=state) for pid, state in enumerate(states, 1)])
    assert found.by_state == {
        "active": 1,
        "idle": 2,
        "idle in transaction": 1,
        "idle in transaction (aborted)": 1,
        "unknown": 1,
    }
    assert (found.used, found.used_percent, found.reserved_connections) == (6, 15.0, 3)


def test_background_processes_neither_count_nor_show_and_our_own_sessions_only_count() -> None:
    rows = [
        row(1),
        row(2, application_name="triage"),
        row(3, application_name="renamed by a pooler"),
        row(4, backend_type="autovacuum worker"),
        row(5, backend_type="walsender"),
        row(6, backend_type="checkpointer", datname=None, usename=None, query=""),
    ]
    found = activity(SERVER, rows, own_pids={3})
    assert [session.pid for session in found.sessions] == [1]
    assert (found.used, found.own_sessions) == (3, 2)


def test_hidden_sessions_are_hidden_and_not_missing() -> None:
    found = activity(SERVER, [hidden_row(1), hidden_row(2, datname=None, usename=None), row(3, state="active")])
    assert (found.hidden, found.used, found.by_state) == (1, 2, {"active": 1})
    session = found.sessions[0]
    assert (session.hidden, session.state, session.query, session.backend_start) == (True, "", "", 0.0)
    assert session.state_age_s is None


def test_the_query_of_an_idle_session_has_no_age_and_clocks_that_differ_give_no_negative_one() -> None:
    idle, running = activity(SERVER, [row(1), row(2, state="active", query_age_s=-0.001)]).sessions
    assert (idle.query_age_s, idle.state_age_s) == (None, 11.5)
    assert running.query_age_s == 0.0


def test_a_statement_as_long_as_the_server_keeps_is_marked_as_cut() -> None:
    cut, whole = activity(SERVER, [row(1, query="é" * 512), row(2, query="x" * 1000)]).sessions
    assert (cut.truncated, whole.truncated) == (True, False)


def test_hostile_names_and_statements_come_out_clean() -> None:
    evil = "\x1b]52;c;aGk=\x07\x9b2J\x00[bold]\u202ex"
    fields = ("datname", "usename", "client", "state", "wait_event", "wait_event_type", "query")
    session = activity(SERVER, [row(1, application_name=evil, **dict.fromkeys(fields, evil))]).sessions[0]
    for text in (session.database, session.user, session.application, session.client, session.state, session.query):
        assert text.isprintable()
        assert "[bold]" in text
    assert "hunter2" not in activity(SERVER, [row(1, query="ALTER ROLE a PASSWORD 'hunter2hunter2'")]).sessions[0].query


def test_rates_are_of_the_interval_and_not_since_the_last_reset() -> None:
    later = server(now=2_010.0, commits=150, rollbacks=12, hits=990, reads=110)
    assert rates(SERVER, later) == (5.0, 0.2, 90.0)
    assert rates(SERVER, server(now=2_010.0)) == (0.0, 0.0, None)


@pytest.mark.parametrize(
    ("before", "later"),
    [
        (None, SERVER),
        (SERVER, server(now=2_000.1, commits=200)),
        (SERVER, server(now=2_010.0, commits=3)),
        (SERVER, server(now=2_010.0, hits=None)),
    ],
    ids=["first reading", "too soon", "statistics were reset", "not told"],
)
def test_a_rate_that_cannot_be_told_is_unknown_and_not_zero(before: dict[str, Any] | None, later: dict[str, Any]) -> None:
    assert rates(before, later) == (None, None, None)


def test_a_waiter_shows_what_it_waits_for_and_an_autovacuum_can_be_the_root() -> None:
    rows = [
        row(1, backend_type="autovacuum worker", query="autovacuum: VACUUM grade (to prevent wraparound)"),
        row(2, state="active", wait_event_type="Lock", wait_event="relation"),
        row(3, state="active", wait_event_type="IO"),
    ]
    waits = [
        {"pid": 2, "blockers": [1], "mode": "ShareLock", "relation": "grade", "waiting_since": 1_996.0},
        {"pid": 3, "blockers": [2], "mode": None, "relation": None, "waiting_since": None},
    ]
    (root,) = activity(SERVER, rows, waits).roots
    assert root.session is not None
    assert root.session.backend_type == "autovacuum worker"
    (waiter,) = root.waiters
    assert (waiter.pid, waiter.mode, waiter.relation, waiter.waited_s, waiter.waiters) == (2, "ShareLock", "grade", 4.0, ())


def test_how_long_somebody_waits_is_unknown_before_version_14() -> None:
    asked = wait({"pid": 7, "blockers": [1], "mode": "ShareLock", "relation": "grade", "waiting_since": None}, 2_000.0)
    assert asked.waited_s is None
