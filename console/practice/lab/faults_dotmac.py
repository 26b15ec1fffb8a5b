"""Faults of the ISP platform, whose services are units of one host."""

import json
from collections.abc import Mapping
from dataclasses import replace

from console.practice.lab.database_faults import database_missing, index_missing, password_changed
from console.practice.lab.fault import LabFault, Notes
from console.practice.lab.people import token
from console.practice.lab.pieces import (
    KEPT,
    Bites,
    answers,
    changed,
    clients,
    every,
    logged,
    long_statement,
    release,
    statements,
    stopped,
    told,
    user_of,
)
from console.practice.lab.spec import MIB, Service
from console.practice.lab.systems.dotmac import UPLOADS
from console.practice.lab.target import Target

HEALTH, LOGIN, CUSTOMERS = "/health", "/api/auth/login", "/api/customers"
USER = "user1@dotmac.local"
CREDENTIALS = {"email": USER, "password": "user1"}
REDIS_CONFIG = "/etc/redis/redis.conf"
UNIT = "/etc/systemd/system/dotmac.service"
STATE = "/run/outside.json"
"""How the processor's site behaves (see `outside.py` in the image)."""
DEVICE = "/etc/snmp/snmpd.conf"
FILTER = "/etc/hosts.deny"
"""Of the device: whose questions its SNMP service drops."""
NOWHERE = "http://192.0.2.44/api"
"""An address of a documentation network: packets to it are lost."""
FOREIGN = "x" * 40
KEPT_PAYMENTS = f"{KEPT}.payments"


def _token(target: Target, *, issued_ago_s: float = 60) -> str:
    return token(target.secret("jwt_secret"), USER, "staff", issued_ago_s=issued_ago_s)


def _ask_with_old_token(target: Target, _notes: Notes) -> None:
    target.ask(CUSTOMERS, token=_token(target, issued_ago_s=7200))


def _ask_with_foreign_token(target: Target, _notes: Notes) -> None:
    target.ask(CUSTOMERS, token=token(FOREIGN, USER, "staff"))


def _says(query: str) -> Bites:
    return lambda target, _: target.sql(query) == "t"


def _customers(status: int) -> Bites:
    return lambda target, _: target.ask(CUSTOMERS, token=_token(target)) == status


def _user_changed(cause: str, title: str, change: str, back: str, bites: Bites) -> LabFault:
    """A column of the user's row that differs; `change` and `back` are assignments."""
    fault = statements(
        f"dotmac.u1.{cause}",
        title,
        [f"UPDATE users SET {change} WHERE email = '{USER}'"],  # noqa: S608 (our own names)
        [f"UPDATE users SET {back} WHERE email = '{USER}'"],  # noqa: S608 (our own names)
        "SELECT true",
        inputs=lambda _target: {"email": USER},
    )
    return replace(fault, bites=bites)


def _outside(identity: str, title: str, state: Mapping[str, object], bites: Bites) -> LabFault:
    """The payment processor's site behaves otherwise."""
    text = json.dumps(state)

    def inject(target: Target, _notes: Notes) -> None:
        target.write(Service.OUTSIDE, STATE, text.encode())

    def undo(target: Target, _notes: Notes) -> None:
        target.start(Service.OUTSIDE)
        target.must(Service.OUTSIDE, "rm", "-f", STATE)

    return LabFault(identity, title, inject, bites, undo)


def _pay_fails(target: Target, _notes: Notes) -> bool:
    return target.ask("/api/payments", method="POST", json={"invoice": "1"}, token=_token(target)) == 502


def _payments(identity: str, title: str, rows: str) -> LabFault:
    """Payments beyond the usual ones: the columns of a SELECT over `n`."""
    columns = "invoice_id, customer_id, payment_method_id, amount, status, error_message, created_at"
    return statements(
        identity,
        title,
        [
            f"CREATE SCHEMA IF NOT EXISTS {KEPT}",
            f"CREATE TABLE IF NOT EXISTS {KEPT_PAYMENTS} (id integer)",
            f"WITH made AS (INSERT INTO payments ({columns}) {rows} RETURNING id) "  # noqa: S608 (our own names)
            f"INSERT INTO {KEPT_PAYMENTS} SELECT id FROM made",
        ],
        [
            f"DO $$ BEGIN IF to_regclass('{KEPT_PAYMENTS}') IS NOT NULL THEN "  # noqa: S608 (our own names)
            f"DELETE FROM payments WHERE id IN (SELECT id FROM {KEPT_PAYMENTS}); END IF; END $$",
            f"DROP SCHEMA IF EXISTS {KEPT} CASCADE",
        ],
        f"SELECT count(*) > 0 FROM {KEPT_PAYMENTS}",  # noqa: S608 (our own names)
    )


def _upload(status: int) -> Bites:
    return lambda target, _: target.ask("/api/uploads", method="POST", json={"number": "1"}, token=_token(target)) == status


def _own_folder(owner: str, mode: str) -> list[tuple[str, ...]]:
    return [("chown", "-R", owner, UPLOADS), ("chmod", mode, UPLOADS)]


def _run_all(target: Target, commands: list[tuple[str, ...]]) -> None:
    for command in commands:
        target.must(Service.HOST, *command)


def _many_files(target: Target, _notes: Notes) -> None:
    script = f"cd {UPLOADS} && for n in $(seq 3000); do touch -d '60 days ago' old_$n.tmp || break; done 2> /dev/null; true"
    target.must(Service.HOST, "sh", "-c", script)


def _big_file(target: Target, _notes: Notes) -> None:
    script = f"cat /dev/zero > {UPLOADS}/export.tmp 2> /dev/null; touch -d '60 days ago' {UPLOADS}/export.tmp; true"
    target.must(Service.HOST, "sh", "-c", script)


def _no_room(target: Target, _notes: Notes) -> bool:
    """An upload that overwrites a file may still find the room of that file."""
    return target.run(Service.HOST, "sh", "-c", f"echo full > {UPLOADS}/one_more.tmp").exit_code != 0


def _remove_files(target: Target, _notes: Notes) -> None:
    target.start(Service.HOST)
    target.must(Service.HOST, "find", UPLOADS, "-name", "*.tmp", "-delete")


def _late_clock(old: bytes, _target: Target) -> bytes:
    return old.replace(b"ExecStart=/usr/bin/python3", b"ExecStart=/usr/bin/faketime -f -90m /usr/bin/python3")


def _with_password(old: bytes, _target: Target) -> bytes:
    return old + b"requirepass nobody-told-the-service\n"


def _other_community(old: bytes, _target: Target) -> bytes:
    return old.replace(b"public", b"monitoring-2026")


def _ask_nobody(target: Target, _notes: Notes) -> None:
    target.write(Service.OUTSIDE, FILTER, b"snmpd: ALL\n")


def _ask_again(target: Target, _notes: Notes) -> None:
    target.start(Service.OUTSIDE)
    target.must(Service.OUTSIDE, "rm", "-f", FILTER)


def _version_3_only(old: bytes, _target: Target) -> bytes:
    return b"".join(line for line in old.splitlines(keepends=True) if not line.startswith(b"rocommunity"))


def _webhooks(target: Target) -> list[tuple[str, ...]]:
    address = f"http://{target.name(Service.HOST)}:8000/api/webhooks/payments"
    return [("loop", "1", "POST", address, '{"type": "payment.succeeded"}')]


def _wrongly_signed() -> LabFault:
    """Reports whose signature is not taken; those that were refused are forgotten with the fault."""
    fault = clients(
        "dotmac.b1.bad-signature",
        "The processor's reports are signed with another secret",
        _webhooks,
        _says(
            "SELECT count(*) > 4 FROM webhook_events WHERE NOT signature_valid AND received_at > now() - interval '30 seconds'"
        ),
    )

    def undo(target: Target, notes: Notes) -> None:
        fault.undo(target, notes)
        target.start_database()
        target.sql("DELETE FROM webhook_events WHERE NOT signature_valid")

    return replace(fault, undo=undo)


def _portal_twice(target: Target, _notes: Notes) -> None:
    target.sql("UPDATE customers SET portal_id = 'PRT-100001' WHERE id IN (12, 13)")


def _portal_once(target: Target, _notes: Notes) -> None:
    target.start_database()
    target.sql("UPDATE customers SET portal_id = 'PRT-' || (100000 + id) WHERE id IN (12, 13) AND portal_id = 'PRT-100001'")


REFUSED = every(lambda target, _: target.ask(LOGIN, method="POST", json=CREDENTIALS) == 401)
HASH = "password_hash = 'sha256$' || encode(sha256('user1'::bytea), 'hex')"

FAULTS = (
    password_changed("dotmac.s1.wrong-password", "The password of dotmac was changed", answers(HEALTH, 503)),
    stopped("dotmac.s1.database-down", "PostgreSQL's unit is stopped", Service.DATABASE),
    database_missing("dotmac.s1.database-missing", "There is no database dotmac_db", answers(HEALTH, 503)),
    stopped("dotmac.s2.not-running", "Redis's unit is stopped", Service.CACHE),
    changed(
        "dotmac.s2.auth-required",
        "Redis wants a password that the service does not have",
        Service.CACHE,
        REDIS_CONFIG,
        _with_password,
        answers(HEALTH, 503),
    ),
    told(
        "dotmac.s2.wrong-address",
        "REDIS_URL names another port",
        lambda _target: {"REDIS_URL": "redis://localhost:6380/0"},
        answers(HEALTH, 503),
    ),
    user_of(
        "dotmac.u1.user-missing",
        "Somebody tries to log in whom nobody has entered",
        _says("SELECT count(*) = 0 FROM users WHERE email = 'nobody@dotmac.local'"),
        inputs=lambda _target: {"email": "nobody@dotmac.local"},
    ),
    _user_changed(
        "locked",
        "A user's account is locked after five wrong passwords",
        "failed_login_attempts = 5, locked_until = now() + interval '2 hours'",
        "failed_login_attempts = 0, locked_until = NULL",
        REFUSED,
    ),
    _user_changed("inactive", "A user's account is not active", "is_active = false", "is_active = true", REFUSED),
    _user_changed("hash-mismatch", "A user's password hash is another", "password_hash = 'sha256$other'", HASH, REFUSED),
    user_of(
        "dotmac.u2.expired",
        "A user's token has expired",
        logged("Authentication failed: Token has expired"),
        _ask_with_old_token,
        inputs=lambda target: {"token": _token(target, issued_ago_s=7200)},
    ),
    user_of(
        "dotmac.u2.bad-signature",
        "A user's token was signed with another secret",
        logged("Authentication failed: Invalid token signature"),
        _ask_with_foreign_token,
        inputs=lambda _target: {"token": token(FOREIGN, USER, "staff")},
    ),
    told(
        "dotmac.u2.secret-unset",
        "The service is told no JWT_SECRET_KEY",
        lambda _target: {"JWT_SECRET_KEY": None},
        every(_customers(401), lambda target, _: target.ask(LOGIN, method="POST", json=CREDENTIALS) == 500),
        inputs=lambda target: {"token": _token(target)},
    ),
    changed(
        "dotmac.u2.clock-skew",
        "The service's clock is an hour and a half behind",
        Service.BACKEND,
        UNIT,
        _late_clock,
        _customers(401),
        inputs=lambda target: {"token": _token(target)},
    ),
    index_missing(
        "dotmac.p1.missing-index", "The index on customers' addresses is missing", "idx_customers_email", "customers", "email"
    ),
    long_statement("dotmac.p1.slow-query", "A report over all customers runs for minutes", "customers"),
    release(
        "dotmac.p2.leak",
        "The service keeps more and more memory",
        {"leak": 4 * MIB, "steady": True},
        lambda target, _: int(target.must(Service.HOST, "sh", "-c", "ps -o rss= -C python3 | sort -n | tail -1")) > 80_000,
    ),
    told(
        "dotmac.p2.pool-too-large",
        "The service's pool may hold more connections than the server has",
        lambda _target: {"DB_POOL_SIZE": "200"},
        answers(HEALTH, 200),
    ),
    _outside("dotmac.n1.remote-down", "The payment processor answers 503", {"status": 503}, _pay_fails),
    _outside(
        "dotmac.n1.slow",
        "The payment processor takes three seconds",
        {"delay_s": 3},
        lambda target, _: (
            target.run(Service.HOST, "curl", "-s", "-m", "2", "http://payment-processor:8080/api/health").exit_code == 28
        ),
    ),
    told(
        "dotmac.n1.dns",
        "The processor's name leads nowhere",
        lambda _target: {"PAYMENT_API_URL": "http://payment-processor-2025.invalid/api"},
        every(_pay_fails, logged("Failed to connect to payment-processor-2025.invalid")),
    ),
    told(
        "dotmac.n1.blocked",
        "Packets to the processor are lost",
        lambda _target: {"PAYMENT_API_URL": NOWHERE},
        every(_pay_fails, logged("Failed to connect to 192.0.2.44")),
    ),
    LabFault(
        "dotmac.f1.permission",
        "The folder of uploads belongs to root",
        inject=lambda target, _: _run_all(target, _own_folder("root:root", "700")),
        bites=_upload(500),
        undo=lambda target, _: _run_all(target, _own_folder("app:app", "755")),
    ),
    LabFault("dotmac.f1.disk-full", "The folder of uploads is full", _big_file, _no_room, _remove_files),
    LabFault(
        "dotmac.f1.inodes-exhausted",
        "The folder of uploads has no room for another file",
        _many_files,
        lambda target, _: target.run(Service.HOST, "touch", f"{UPLOADS}/one_more.tmp").exit_code != 0,
        _remove_files,
    ),
    _outside("dotmac.b1.processor-down", "The payment processor answers 503", {"status": 503}, _pay_fails),
    _wrongly_signed(),
    _payments(
        "dotmac.b1.invalid-method",
        "Payments fail with methods that are not valid",
        "SELECT n, n, n, 29.90, 'failed', 'Invalid payment method', now() - n * interval '40 seconds' "
        "FROM generate_series(1, 20) AS g (n)",
    ),
    _payments(
        "dotmac.b1.duplicates",
        "Customers were charged twice",
        "SELECT i.id, i.customer_id, i.customer_id, i.amount, 'succeeded', NULL, now() - n * interval '2 minutes' "
        "FROM invoices i, generate_series(1, 2) AS g (n) WHERE i.id BETWEEN 13 AND 20",
    ),
    LabFault(
        "dotmac.i1.duplicates",
        "Three customers have the same portal id",
        _portal_twice,
        _says("SELECT count(*) = 3 FROM customers WHERE portal_id = 'PRT-100001'"),
        _portal_once,
    ),
    stopped("dotmac.m1.unreachable", "The device does not answer", Service.OUTSIDE),
    changed(
        "dotmac.m1.wrong-community",
        "The device's community is another",
        Service.OUTSIDE,
        DEVICE,
        _other_community,
        lambda target, _: b"monitoring-2026" in target.read(Service.OUTSIDE, DEVICE),
    ),
    changed(
        "dotmac.m1.wrong-version",
        "The device speaks version 3 alone",
        Service.OUTSIDE,
        DEVICE,
        _version_3_only,
        lambda target, _: b"rocommunity" not in target.read(Service.OUTSIDE, DEVICE),
    ),
    LabFault(
        "dotmac.m1.blocked",
        "The device drops our questions",
        _ask_nobody,
        lambda target, _: b"snmpd" in target.read(Service.OUTSIDE, FILTER),
        _ask_again,
        answers={"dotmac.m1.device": "closed"},
    ),
)
