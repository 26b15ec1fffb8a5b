"""The ISP platform: PostgreSQL, Redis and the service are units of one machine; a payment processor and devices stand around."""

from collections.abc import Mapping

from console.config import SystemConfig
from console.practice.simulated.blueprint import Blueprint, Part
from console.practice.simulated.machine import Disk, Process
from console.practice.simulated.network import Device, Site
from console.practice.simulated.service import Service
from console.practice.simulated.traffic import Client, Endpoint
from console.practice.simulated.volume import GIB, MIB
from console.practice.simulated.web import Request, Response, alive, answer, login, make_token, metrics
from console.practice.simulated.world import World

SECRET = "practice-jwt-secret-of-the-platform"  # noqa: S105 - the made-up world's own
PROCESSOR = "payment-processor.example"
DEVICE = "192.168.1.1"
UPLOADS = "/app/uploads"
UPLOADS_DISK = 8 * GIB

SERVICE = Service(
    name="dotmac",
    greeting="Starting dotmac 1.0.3",
    database_hosts=("localhost", "127.0.0.1"),
    database_address="127.0.0.1",
    cache_hosts=("localhost", "127.0.0.1"),
    address="127.0.0.1",
    package="dotmac_isp",
    folder="/opt/dotmac/src/dotmac_isp",
    required=("DATABASE_URL", "JWT_SECRET_KEY"),
    revision="0117_portal_ids",
    revision_before="0116_webhooks",
    needs_database=True,
    correlated=True,
    pool_variable="DB_POOL_SIZE",
    secret_name="JWT_SECRET_KEY",  # noqa: S106 - a variable's name
    leaked_query="SELECT id, portal_id, email, status FROM customers WHERE tenant_id = $1 ORDER BY created_at DESC LIMIT 100",
)

PARTS = (
    Part(
        "database", port=5432, lab_port="postgres", unit="postgresql", user="postgres",
        command="/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/data",
        log_file="/var/log/postgresql/postgresql-15-main.log",
    ),
    Part(
        "cache", port=6379, lab_port="redis", unit="redis-server", user="redis",
        command="/usr/bin/redis-server 127.0.0.1:6379", log_file="/var/log/redis/redis-server.log",
    ),
    Part(
        "backend", port=8000, lab_port="backend", started_h=5.3, unit="dotmac", user="app",
        command="/usr/bin/python3 -m dotmac_isp.main", settings_file="/opt/dotmac/.env", log_file="/var/log/dotmac/app.log",
        environment={
            "DB_HOST": "localhost",
            "DB_PORT": "5432",
            "DB_NAME": "{database}",
            "DB_USER": "{user}",
            "DB_PASSWORD": "{password}",
            "DATABASE_URL": "postgresql://{user}:{password}@localhost:5432/{database}",
            "DB_POOL_SIZE": "10",
            "REDIS_URL": "redis://localhost:6379/0",
            "JWT_SECRET_KEY": SECRET,
            "JWT_ALGORITHM": "HS256",
            "JWT_EXPIRE_MINUTES": "30",
            "PAYMENT_API_URL": f"http://{PROCESSOR}/api",
            "WEBHOOK_SECRET": "practice-webhook-secret",
            "UPLOADS": UPLOADS,
        },
    ),
)  # fmt: skip

ENDPOINTS = (
    Endpoint(
        "GET", "/api/customers", 33, 0.026,
        "SELECT id, portal_id, email, status FROM customers WHERE tenant_id = $1 ORDER BY created_at DESC LIMIT 100",
    ),
    Endpoint(
        "GET", "/api/customer", 52, 0.014, "SELECT id, portal_id, email, status FROM customers WHERE email = $1", cached=True
    ),
    Endpoint("POST", "/api/uploads", 5, 0.030, "SELECT id FROM invoices WHERE customer_id = $1", stores="UPLOADS"),
    Endpoint(
        "POST", "/api/payments", 5, 0.120,
        "INSERT INTO payments (invoice_id, customer_id, amount, status) VALUES ($1, $2, $3, $4)", writes=True,
        asks="PAYMENT_API_URL",
    ),
    Endpoint(
        "POST", "/api/webhooks/payments", 2, 0.020,
        "INSERT INTO webhook_events (provider, event_type, signature_valid, status) VALUES ($1, $2, $3, $4)", writes=True,
    ),
    Endpoint(
        "POST", "/api/auth/login", 3, 0.070, "UPDATE users SET last_login_at = now() WHERE email = $1",
        writes=True, rejected=0.03,
    ),
)  # fmt: skip

CLIENTS = tuple(Client(f"10.40.0.{number + 10}", f"user{number}@dotmac.local", "staff") for number in range(1, 21))


def furnish(world: World) -> None:
    """Folders and files of the machine, the payment processor, a device, two resolvers that agree."""
    machine, around, now = world.machine, world.network, world.now
    machine.disks[UPLOADS] = Disk(UPLOADS_DISK, 1_960 * MIB, 4_096, 611, "/dev/vdc1")
    uploads = world.config.folders.get("uploads")
    root = uploads.path if uploads is not None else UPLOADS
    machine.folder(root, owner="app", at=now - 400 * 86_400)
    for number in range(40):
        at = now - number * 86_400 * 0.7
        machine.write(f"{root}/invoice_{number:03d}.pdf", "", owner="app", at=at).size_bytes = 86_000 + 1_311 * number
    machine.folder("/opt/dotmac", owner="deploy", at=now - 30 * 86_400)
    machine.processes += [
        Process(612, "cron", "/usr/sbin/cron -f", "root", 3 * MIB, 0.0, now - 90 * 86_400),
        Process(655, "sshd", "sshd: /usr/sbin/sshd -D", "root", 8 * MIB, 0.0, now - 90 * 86_400),
        Process(901, "node_exporter", "/usr/bin/prometheus-node-exporter", "prometheus", 19 * MIB, 0.3, now - 90 * 86_400),
    ]
    machine.memory.total_bytes = 8 * GIB
    machine.memory.other_used_bytes = 2_900 * MIB
    machine.firewall.active, machine.firewall.default = True, "deny"
    machine.firewall.allowed |= {"22/tcp", "443/tcp", "8000/tcp", "161/udp"}
    machine.firewall.allowed |= {f"{port}/tcp" for port in world.config.ports}
    around.names[PROCESSOR] = ("192.0.2.44",)
    for base in {f"http://{PROCESSOR}/", f"https://{PROCESSOR}/", f"http://127.0.0.1:{world.config.lab.outside}/"}:
        around.sites[base] = Site(404, body="Not Found")
        around.sites[f"{base}api/"] = Site(headers={"content-type": "application/json"}, body='{"status": "ok"}')
    around.devices[DEVICE] = Device({"1", "2c", "3"})


def health(world: World, _request: Request) -> Response:
    """{"status": …, "checks": {"database": bool, "redis": bool, "file_system": bool}}"""
    surroundings = world.backend.surroundings
    checks = {
        "database": world.backend.connection_error(world.now) is None and bool(world.backend.pool),
        "redis": world.backend.cache_error() is None,
        "file_system": surroundings is not None and not surroundings.cannot_write(UPLOADS),
    }
    healthy = all(checks.values())
    return answer(200 if healthy else 503, {"status": "healthy" if healthy else "unhealthy", "checks": checks})


def inputs(_config: SystemConfig) -> Mapping[str, str]:
    """What a well user, customer and device would give."""
    claims = {"sub": "user1@dotmac.local", "role": "staff", "iat": 1_767_225_600, "exp": 4_102_444_800}
    return {
        "email": "user1@dotmac.local",
        "password": "user1",
        "new_password": "a-new-practice-password",
        "token": make_token(SECRET, claims),
        "portal_id": "PRT-100001",
        "customer_id": "1",
        "host": DEVICE,
        "community": "public",
        "folder": UPLOADS,
        "url": f"http://{PROCESSOR}/api/health",
    }


BLUEPRINT = Blueprint(
    name="dotmac",
    service=SERVICE,
    parts=PARTS,
    endpoints=ENDPOINTS,
    routes={
        ("GET", "/health"): health,
        ("GET", "/health/live"): alive,
        ("GET", "/metrics"): metrics,
        ("POST", "/api/auth/login"): login(
            "SELECT password_hash, CASE WHEN locked_until > now() THEN 'the account is locked' "
            "WHEN NOT is_active THEN 'the account is not active' END AS refused FROM users WHERE email = %(name)s",
            "email",
        ),
    },
    clients=CLIENTS,
    backup_name="dotmac_db_%Y%m%d_%H%M%S.sql.gz",
    furnish=furnish,
    inputs=inputs,
)
