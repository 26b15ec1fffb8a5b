"""The Student Management System: database, cache, backend, proxy, metrics, a mail server and a site with help pages."""

from collections.abc import Mapping

from console.practice.lab.certificates import authority, mail_files
from console.practice.lab.spec import MIB, ContainerSpec, LabPlan, Port, Secret, Service, Template, Volume
from console.practice.lab.systems import parts

REDIS = "redis-server --bind * --protected-mode no --dir /data --appendonly no --maxmemory 64mb --maxmemory-policy allkeys-lru"
SENDER = "noreply@studentmanagement.local"


def _smtp(plan: LabPlan, secret: Secret) -> dict[str, str]:
    # The address as this machine sees it, where the console asks; the backend itself sends no letters in the lab.
    return {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(plan.ports.mail),
        "SMTP_USER": "sms-mailer",
        "SMTP_PASSWORD": secret("mail_password"),
        "SMTP_FROM": SENDER,
    }


def _containers(plan: LabPlan, secret: Secret) -> tuple[ContainerSpec, ...]:
    names = plan.names
    return (
        parts.postgres(plan, secret, ("postgres", "database")),
        parts.redis(plan, tuple(REDIS.split()), ("redis", "cache")),
        parts.backup(plan, secret),
        ContainerSpec(
            Service.MAIL,
            names[Service.MAIL],
            ("python", "/lab/mail.py"),
            ("mail",),
            96 * MIB,
            {"SMTP_USER": "sms-mailer", "SMTP_PASSWORD": secret("mail_password"), "SMTP_SENDERS": SENDER},
            ports=(Port(587, plan.ports.mail),),
            files=mail_files(secret),
        ),
        ContainerSpec(
            Service.PAGES,
            names[Service.PAGES],
            ("nginx", "-c", "/lab/pages.conf", "-g", "daemon off;"),
            ("pages",),
            48 * MIB,
            ports=(Port(8090, plan.ports.pages),),
            workdir="/",
        ),
        ContainerSpec(
            Service.BACKEND,
            names[Service.BACKEND],
            ("python", "-m", "backend.main"),
            ("backend",),
            256 * MIB,
            {
                **parts.login(plan, secret),
                "REDIS_HOST": names[Service.CACHE],
                "AUTH_MODE": "permissive",
                **_smtp(plan, secret),
            },
            health=parts.ALIVE,
            ports=(Port(8000, plan.ports.backend),),
        ),
        parts.nginx(Service.PROXY, plan, (Port(8080, plan.ports.proxy),)),
        parts.prometheus(plan),
        parts.load(plan, secret, f"http://{names[Service.PROXY]}:8080", 6),
    )


def _project(plan: LabPlan, secret: Secret) -> Mapping[str, str]:
    told = {"DB_PASSWORD": secret("password"), "AUTH_MODE": "permissive", **_smtp(plan, secret)}
    return {
        ".env": "".join(f"{name}={value}\n" for name, value in told.items()),
        "authority.pem": authority(secret).root,
    }


SMS = Template(
    guide="sms",
    services=(
        Service.DATABASE,
        Service.CACHE,
        Service.BACKUP,
        Service.MAIL,
        Service.PAGES,
        Service.BACKEND,
        Service.PROXY,
        Service.PROMETHEUS,
        Service.LOAD,
    ),
    needs=("database", "cache", "backend", "proxy"),
    names={Service.BACKUP: "{system}-db-backup", Service.PAGES: "{system}-help"},
    database="student_management",
    user="sms_user",
    data=f"{parts.POSTGRES}/data",
    volumes=(Volume("database", parts.VOLUME_MIB),),
    containers=_containers,
    front=lambda plan: f"http://127.0.0.1:{plan.ports.proxy}/health",
    project=_project,
    inputs=lambda _secret: {
        "email": "student1@studentmanagement.local",
        "student_id": "1",
        "viewer": "student1@studentmanagement.local",
    },
    answers={"private-window": "fine", "arrives": "inbox", "reset": "fine", "listed": "yes", "between": "no"},
)
