"""The student management system: nginx, a Python backend, PostgreSQL, Redis, nightly backups, Prometheus."""

from collections.abc import Mapping

from console.config import SystemConfig
from console.practice.simulated.blueprint import Blueprint, Part
from console.practice.simulated.container import Load
from console.practice.simulated.network import MailServer, Site
from console.practice.simulated.service import Service
from console.practice.simulated.traffic import Client, Endpoint
from console.practice.simulated.volume import MIB
from console.practice.simulated.web import Request, Response, alive, checked_health, metrics
from console.practice.simulated.world import World

RELEASE = "sms-backend:1.17.6"
SENDER = "noreply@studentmanagement.local"
MAIL_PASSWORD = "practice-mail"  # noqa: S105 - the made-up world's own

ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/grades",
        40,
        0.014,
        "SELECT c.code, g.assessment_name, g.score, g.grade_date FROM grade g WHERE …",
        cached=True,
    ),
    Endpoint("GET", "/api/v1/attendance", 25, 0.022, "SELECT attendance_date, status FROM attendance WHERE student_id = $1 …"),
    Endpoint("GET", "/api/v1/students", 20, 0.018, "SELECT s.id, s.student_number, u.full_name FROM student s JOIN …"),
    Endpoint("GET", "/api/v1/courses", 10, 0.031, "SELECT c.code, c.title, count(e.id) AS students FROM course c LEFT JOIN …"),
    Endpoint(
        "POST",
        "/api/v1/auth/login",
        5,
        0.070,
        "INSERT INTO login_event (email, accepted) VALUES ($1, $2)",
        writes=True,
        rejected=0.03,
    ),
)

SERVICE = Service(
    name="sms-backend",
    greeting="Starting backend 1.17.6, AUTH_MODE={AUTH_MODE}, semester Current semester",
    database_hosts=("sms-postgres", "postgres", "database"),
    database_address="172.18.0.3",
    cache_hosts=("sms-redis", "redis", "cache"),
    address="172.18.0.5",
    required=("DB_PASSWORD",),
    leaked_query=(
        "SELECT s.id, g.score FROM student s JOIN enrollment e ON e.student_id = s.id JOIN grade g ON g.enrollment_id = e.id"
    ),
)

PARTS = (
    Part(
        "database", "postgres:15", 384, 5432, "postgres", names=("postgres", "database"),
        mounts=(("sms_pgdata", "/var/lib/postgresql", True),), command="postgres",
    ),
    Part("cache", "redis:7", 96, 6379, "redis", names=("redis", "cache"), command="redis-server"),
    Part(
        "backend", RELEASE, 256, 8000, "backend", started_h=5.3, names=("backend",), command="python -m backend.main",
        environment={
            "DB_HOST": "sms-postgres",
            "DB_NAME": "{database}",
            "DB_USER": "{user}",
            "DB_PASSWORD": "{password}",
            "REDIS_HOST": "sms-redis",
            "AUTH_MODE": "permissive",
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": "{mail}",
            "SMTP_USER": "sms-mailer",
            "SMTP_PASSWORD": MAIL_PASSWORD,
            "SMTP_FROM": SENDER,
        },
    ),
    Part(
        "proxy", "nginx:1.22", 64, 8080, "proxy", names=("proxy",), command="nginx",
        usage=Load(1.1, 11 * MIB, 6_000, 14_000, 2), greeting="nginx/1.22.1: start worker processes",
    ),
    Part(
        "backup", "postgres:15", 64, mounts=(("sms_pgdata", "/var/lib/postgresql", True),), command="/lab/backup.sh",
        usage=Load(0.0, 6 * MIB), greeting="Waiting for the next backup",
    ),
    Part(
        "prometheus", "prom/prometheus:v2.42", 256, 9090, "prometheus", command="prometheus",
        usage=Load(1.4, 88 * MIB, 2_600, 900, 9), greeting='level=info msg="Server is ready to receive web requests."',
    ),
    Part(
        "pages", "sms-help:5", 48, 8090, "pages", names=("pages",), command="nginx",
        usage=Load(0.1, 7 * MIB, 200, 900, 2), greeting="nginx/1.22.1: start worker processes",
    ),
)  # fmt: skip


def furnish(world: World) -> None:
    """The mail server, and the site with the help pages."""
    around, lab = world.network, world.config.lab
    around.mail[f"127.0.0.1:{lab.mail}"] = MailServer(users={"sms-mailer": MAIL_PASSWORD}, senders={SENDER})
    front, pages = f"http://127.0.0.1:{lab.proxy}", f"http://127.0.0.1:{lab.pages}"
    around.sites[f"{front}/assets/app.css"] = Site(headers={"content-type": "text/css"}, body="body { margin: 0 }")
    around.sites[f"{front}/assets/app.js"] = Site(headers={"content-type": "text/javascript"}, body="export {}")
    for name in ("", "grades", "attendance"):
        around.sites[f"{pages}/{name}"] = Site(body=f"<!doctype html><title>Help {name}</title>")


def page(_world: World, _request: Request) -> Response:
    html = b"<!doctype html><link rel=stylesheet href=/assets/app.css><script src=/assets/app.js></script>"
    return Response(200, html, {"content-type": "text/html"}, 0.004)


def seed(world: World) -> str:
    """Run the deployment's script, which puts the first rows into empty tables; what it prints."""
    filled = world.database.tables.refill()
    return f"Seeded {', '.join(filled) or 'nothing: every table has rows'}\n"


def inputs(_config: SystemConfig) -> Mapping[str, str]:
    return {"email": "student1@studentmanagement.local", "student_id": "1", "viewer": "student1@studentmanagement.local"}


BLUEPRINT = Blueprint(
    name="sms",
    service=SERVICE,
    parts=PARTS,
    endpoints=ENDPOINTS,
    routes={
        ("GET", "/health"): checked_health,
        ("GET", "/health/live"): alive,
        ("GET", "/metrics"): metrics,
        ("GET", "/"): page,
    },
    clients=(Client("172.18.0.1"),),
    network="sms_default",
    behind_proxy=True,
    backup_name="student_management_%Y%m%d_%H%M%S.sql.gz",
    furnish=furnish,
    inputs=inputs,
    commands={"seed": seed},
    answers={"private-window": "fine", "arrives": "inbox", "reset": "fine", "listed": "yes", "between": "no"},
    images={"sms-backend:1.17.5": 412 * MIB, "sms-backend:1.17.4": 409 * MIB},
    volumes={"sms_pgdata_old": 1_730 * MIB},
)
