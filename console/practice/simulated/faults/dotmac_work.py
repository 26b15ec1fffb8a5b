"""What can be broken in the ISP platform's work: speed, memory, uploads, payments, portal ids, devices."""

from console.practice.simulated.behaviour import Behaviour
from console.practice.simulated.blueprints.dotmac import DEVICE, PROCESSOR, UPLOADS
from console.practice.simulated.faults.dotmac import CUSTOMERS, Change, told
from console.practice.simulated.faults.fault import Fault
from console.practice.simulated.machine import Process
from console.practice.simulated.network import NXDOMAIN, Site
from console.practice.simulated.volume import GIB, MIB
from console.practice.simulated.world import World

DAY_S = 86_400
ANALYTICS = (
    "SELECT c.id, sum(p.amount) FROM customers c LEFT JOIN invoices i ON i.customer_id = c.id "
    "LEFT JOIN payments p ON p.invoice_id = i.id OR p.customer_id = c.id GROUP BY c.id ORDER BY 2 DESC"
)
EVERYBODY = "SELECT id, portal_id, email, full_name, status, created_at FROM customers ORDER BY created_at DESC"


def _lose_index(world: World) -> None:
    """A migration dropped an index and did not make it anew."""
    world.database.drop_index("idx_customers_email")


def _run_analytics(world: World) -> None:
    """Three pages with a customer analysis were opened; nobody waits for them any more, and they run on."""
    for age_s in (31, 24, 12):
        session = world.database.run_long(world.now, "dotmac", "127.0.0.1", ANALYTICS, for_s=age_s)
        session.query_start = world.now - age_s


def _read_everybody(world: World) -> None:
    """A release that lost the LIMIT of the list of customers."""
    world.backend.behaviours[CUSTOMERS] = Behaviour(extra_s=1.6, query=EVERYBODY, rows=12_000)


def _leak(world: World) -> None:
    """A release that keeps every page that it made."""
    world.backend.leak_bytes_per_s = 4.0 * MIB


def _eat_memory(world: World) -> None:
    """Somebody's export holds all rows in memory."""
    job = "/usr/bin/python3 /home/deploy/export_all.py"
    world.machine.processes.append(Process(8_412, "python3", job, "deploy", int(4.6 * GIB), 61.0, world.now))
    world.machine.memory.swap_used_bytes = int(1.7 * GIB)


def _processors(world: World) -> list[str]:
    """The processor's addresses, as the service and as the console know it."""
    return [url for url in world.network.sites if url.endswith("/api/")]


def _processor(site: Site) -> Change:
    def apply(world: World) -> None:
        for url in _processors(world):
            world.network.sites[url] = site

    return apply


def _lose_name(world: World) -> None:
    """The machine's own resolver does not know the processor any more."""
    world.network.other_names[PROCESSOR] = world.network.names[PROCESSOR]
    world.network.names[PROCESSOR] = NXDOMAIN


def _drop_packets(world: World) -> None:
    """The packet filter of the building lets nothing out to the processor."""
    world.network.blocked |= {f"{PROCESSOR}:80", f"{PROCESSOR}:443", f"127.0.0.1:{world.config.lab.outside}"}


def _own_uploads(world: World) -> None:
    """A restore from a backup, made as root."""
    for path, item in world.machine.files.items():
        if path.startswith(UPLOADS):
            item.owner = item.group = "root"
    world.machine.files[UPLOADS].mode = 0o700


def _old_files(count: int, size_bytes: int) -> Change:
    """Exports of last autumn that nobody took away."""

    def apply(world: World) -> None:
        disk = world.machine.disks[UPLOADS]
        for number in range(count):
            at = world.now - (45 + number / 40) * DAY_S
            world.machine.write(f"{UPLOADS}/export_{number:04d}.tmp", "", owner="app", at=at).size_bytes = size_bytes
        disk.used_bytes = min(disk.total_bytes, disk.used_bytes + count * size_bytes)
        disk.inodes_used = min(disk.inodes_total, disk.inodes_used + count)

    return apply


def _fill_disk(world: World) -> None:
    _old_files(62, 100 * MIB)(world)
    disk = world.machine.disks[UPLOADS]
    disk.used_bytes = disk.total_bytes


def _use_inodes(world: World) -> None:
    _old_files(1_950, 12_000)(world)
    disk = world.machine.disks[UPLOADS]
    disk.inodes_used = disk.inodes_total


def _failed_payments(error: str, count: int = 12) -> Change:
    """What the service wrote down of the payments that it could not make."""

    def apply(world: World) -> None:
        world.database.tables.run(
            "INSERT INTO payments (invoice_id, customer_id, payment_method_id, amount, status, error_message, created_at) "
            "SELECT n, n, n, 19.90 + n %% 60, 'failed', %(error)s, now() - n * interval '9 seconds' "
            "FROM generate_series(1, %(count)s)",
            {"error": error, "count": count},
        )

    return apply


def _processor_down(world: World) -> None:
    _processor(Site(503, body="Service Unavailable"))(world)
    _failed_payments("HTTP 503 Service Unavailable")(world)


def _processor_back(world: World) -> None:
    _processor(Site(headers={"content-type": "application/json"}, body='{"status": "ok"}'))(world)


def _spoil_methods(world: World) -> None:
    """Cards that were blocked at their bank."""
    world.database.tables.run("UPDATE payment_methods SET is_valid = false WHERE customer_id <= 12")
    _failed_payments("Invalid payment method")(world)


def _refuse_webhooks(world: World) -> None:
    """The processor signs with a new secret."""
    world.database.tables.run(
        "INSERT INTO webhook_events (provider, event_type, signature_valid, status, error_message, received_at) "
        "SELECT 'payment-processor', 'payment.succeeded', false, 'rejected', 'Invalid webhook signature', "
        "now() - n * interval '20 seconds' FROM generate_series(1, 14)"
    )


def _pay_twice(world: World) -> None:
    """The service tried again after it had given up waiting for an answer, and both were booked."""
    world.database.tables.run(
        "INSERT INTO payments (invoice_id, customer_id, payment_method_id, amount, status, created_at) "
        "SELECT i.id, i.customer_id, i.customer_id, i.amount, 'succeeded', "
        "now() - interval '1 minute' - g.n * interval '5 seconds' "
        "FROM invoices i, generate_series(1, 2) AS g (n) WHERE i.id BETWEEN 13 AND 18"
    )


def _same_ids(world: World) -> None:
    """An import that took the portal ids of other customers."""
    tables = world.database.tables
    tables.run("UPDATE customers SET portal_id = 'PRT-100001' WHERE id IN (12, 13)")
    tables.run("UPDATE customers SET portal_id = 'PRT-100002' WHERE id = 40")


def _device_away(world: World) -> None:
    world.network.devices[DEVICE].down = "unreachable"
    world.database.tables.run("UPDATE network_devices SET status = 'unknown' WHERE ip_address = %(host)s", {"host": DEVICE})


def _other_community(world: World) -> None:
    world.network.devices[DEVICE].community = "monitoring-2026"


def _only_version_3(world: World) -> None:
    world.network.devices[DEVICE].versions = {"3"}


def _close_snmp(world: World) -> None:
    """The packet filter was made stricter, and lets no answers of devices in."""
    world.machine.firewall.allowed.discard("161/udp")


FAULTS: dict[str, Fault] = {
    "dotmac.p1.missing-index": Fault(400, _lose_index),
    "dotmac.p1.slow-query": Fault(40, _run_analytics),
    "dotmac.p1.unbounded-result": Fault(420, _read_everybody),
    "dotmac.p2.leak": Fault(240, _leak),
    "dotmac.p2.pool-too-large": Fault(200, told("DB_POOL_SIZE", "34")),
    "dotmac.p2.host-exhausted": Fault(300, _eat_memory),
    "dotmac.n1.remote-down": Fault(200, _processor(Site(503, body="Service Unavailable"))),
    "dotmac.n1.dns": Fault(200, _lose_name),
    "dotmac.n1.blocked": Fault(200, _drop_packets),
    "dotmac.n1.slow": Fault(300, _processor(Site(headers={"content-type": "application/json"}, body="{}", latency_s=1.7))),
    "dotmac.f1.permission": Fault(300, _own_uploads),
    "dotmac.f1.disk-full": Fault(300, _fill_disk),
    "dotmac.f1.inodes-exhausted": Fault(300, _use_inodes),
    "dotmac.b1.processor-down": Fault(200, _processor_down, undo=_processor_back),
    "dotmac.b1.bad-signature": Fault(60, _refuse_webhooks),
    "dotmac.b1.invalid-method": Fault(60, _spoil_methods),
    "dotmac.b1.duplicates": Fault(300, _pay_twice),
    "dotmac.i1.duplicates": Fault(800, _same_ids),
    "dotmac.m1.unreachable": Fault(300, _device_away),
    "dotmac.m1.wrong-community": Fault(300, _other_community),
    "dotmac.m1.wrong-version": Fault(300, _only_version_3),
    "dotmac.m1.blocked": Fault(300, _close_snmp),
}
