"""The lab on a real engine: it comes up whole, again, and goes without taking anybody else's things."""

import io
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from console.config import SystemConfig, load_config
from console.config_tables import LabConfig
from console.practice.lab.command import run
from console.practice.lab.engine import run_in
from console.practice.lab.errors import LabError
from console.practice.lab.plan import lab_plan
from console.practice.lab.spec import Service
from console.practice.lab.stack import Lab

pytestmark = pytest.mark.engine

GUIDE_TABLES = ["alembic_version", "attendance", "course", "enrollment", "grade", "role", "student", "user", "user_permission"]


@pytest.fixture
def system(triage_config: Path) -> SystemConfig:
    return load_config(triage_config).config.systems["sms"]


def docker(*arguments: str) -> str:
    """The docker command as an operator types it."""
    done = subprocess.run(("docker", *arguments), capture_output=True, text=True, timeout=30, check=False)
    return done.stdout.strip() or done.stderr.strip()


def test_status_of_the_lab_is_up(lab: Lab) -> None:
    status = lab.status()
    assert status.up
    assert [item.service for item in status.services if item.fine] == list(lab.plan.services)


def test_bringing_up_what_is_up_changes_nothing(lab: Lab) -> None:
    before = {service: lab.container(service)["Id"] for service in lab.plan.services}
    started = {service: lab.container(service)["State"]["StartedAt"] for service in lab.plan.services}
    lab.up()
    assert {service: lab.container(service)["Id"] for service in lab.plan.services} == before
    assert {service: lab.container(service)["State"]["StartedAt"] for service in lab.plan.services} == started


def test_a_container_that_was_stopped_and_one_that_was_removed_are_brought_back(lab: Lab) -> None:
    lab.client.api.stop(lab.container(Service.CACHE)["Id"], timeout=3)
    lab.client.api.remove_container(lab.container(Service.LOAD)["Id"], force=True)
    assert not lab.status().up
    lab.up()
    assert lab.status().up


def test_a_changed_memory_limit_is_set_right_again(lab: Lab) -> None:
    lab.client.api.update_container(lab.container(Service.PROXY)["Id"], mem_limit="80m", memswap_limit="80m")
    lab.up()
    assert lab.container(Service.PROXY)["HostConfig"]["Memory"] == 64 * 1024 * 1024


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            "exec sms-backend python -c|from backend.db import engine; engine.connect(); print('✓ DB OK')",
            "✓ DB OK",
        ),
        ("exec sms-postgres pg_isready -U sms_user -d student_management", "accepting connections"),
        ("exec sms-postgres psql -U sms_user -d student_management -c|SELECT version();", "PostgreSQL 15"),
        ('exec sms-postgres psql -U sms_user -d student_management -Atc|SELECT count(*) FROM "user"', "413"),
        ("exec sms-postgres du -sh /var/lib/postgresql/data", "/var/lib/postgresql/data"),
        ("exec sms-redis redis-cli PING", "PONG"),
        ("exec sms-backend printenv AUTH_MODE", "permissive"),
        ("exec sms-backend python -m backend.migrations current", "(head)"),
        ("network inspect sms_default --format {{.Name}}", "sms_default"),
        ("logs sms-backend --tail 200", "INFO [backend.api] GET /api/v1/"),
    ],
)
@pytest.mark.usefixtures("lab")
def test_the_guides_own_commands_work(command: str, expected: str) -> None:
    words, _, last = command.partition("|")
    assert expected in docker(*words.split(), *([last] if last else []))


def test_the_guides_tables_are_there_and_filled(lab: Lab) -> None:
    query = "SELECT relname FROM pg_stat_user_tables WHERE n_live_tup > 0 ORDER BY 1"
    command = ("psql", "-XAt", "-U", "sms_user", "-d", "student_management", "-c", query)
    tables = run_in(lab.client, lab.container(Service.DATABASE)["Id"], command).stdout.split()
    assert set(GUIDE_TABLES) <= set(tables)


def test_sms_user_may_watch_and_end_sessions_and_is_no_superuser(lab: Lab) -> None:
    query = (
        "SELECT rolsuper, pg_has_role(oid, 'pg_monitor', 'USAGE'), pg_has_role(oid, 'pg_signal_backend', 'USAGE'), "
        "has_table_privilege(oid, 'pg_stat_statements', 'SELECT') FROM pg_roles WHERE rolname = 'sms_user'"
    )
    command = ("psql", "-XAt", "-U", "sms_user", "-d", "student_management", "-c", query)
    assert run_in(lab.client, lab.container(Service.DATABASE)["Id"], command).stdout.strip() == "f|t|t|t"


def test_a_login_over_tcp_needs_the_password(lab: Lab) -> None:
    command = ("psql", "-XAt", "-h", "127.0.0.1", "-U", "sms_user", "-d", "student_management", "-c", "SELECT 1")
    database = lab.container(Service.DATABASE)["Id"]
    assert run_in(lab.client, database, command, {"PGPASSWORD": "wrong"}).exit_code != 0
    assert run_in(lab.client, database, command, {"PGPASSWORD": lab.password()}).stdout.strip() == "1"
    assert (lab.folder / "password").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("lab")
def test_the_proxy_serves_the_page_the_health_and_the_api() -> None:
    with httpx.Client(base_url="http://127.0.0.1:8080", timeout=5, trust_env=False) as client:
        assert "Student Management" in client.get("/").text
        assert client.get("/health").json()["checks"].keys() == {"database", "redis"}
        assert client.get("/api/v1/grades", params={"student_id": 1}).json()
        assert client.get("/api/v1/attendance", params={"student_id": 1}).json()
        login = {"email": "student1@studentmanagement.local", "password": "student1"}
        assert "token" in client.post("/api/v1/auth/login", json=login).json()


@pytest.mark.parametrize("page", ["", "grades", "attendance"])
@pytest.mark.usefixtures("lab")
def test_help_is_there(page: str) -> None:
    assert httpx.get(f"http://127.0.0.1:8090/{page}", timeout=5, trust_env=False).status_code == 200


@pytest.mark.usefixtures("lab")
def test_the_metrics_have_the_guides_histogram_with_its_labels() -> None:
    text = httpx.get("http://127.0.0.1:8000/metrics", timeout=5, trust_env=False).text
    assert 'http_request_duration_seconds_bucket{endpoint="/api/v1/grades",le="0.5",method="GET",status="200"}' in text


@pytest.fixture
def other(system: SystemConfig) -> Iterator[tuple[SystemConfig, Lab]]:
    """A second lab, never brought up, with names of its own beside the first."""
    roles = {role: f"triagetest-{role}" for role in ("backend", "database", "cache", "proxy", "backup")}
    ports = LabConfig(proxy=28080, backend=28000, postgres=25432, redis=26379, prometheus=29090, mail=21587, pages=28090)
    config = system.model_copy(update={"roles": roles, "lab": ports})
    assert config.engine is not None
    lab = Lab(lab_plan("triagetest", config), config.engine, print)
    yield config, lab
    lab.down()
    lab.close()


@pytest.fixture
def foreign(lab: Lab) -> Iterator[dict[str, Any]]:
    """Somebody else's container, which happens to have the name of the second lab's backend."""
    image = lab.container(Service.LOAD)["Config"]["Image"]
    made = lab.client.api.create_container(image, command=["sleep", "600"], name="triagetest-backend")
    lab.client.api.start(made["Id"])
    yield made
    lab.client.api.remove_container(made["Id"], force=True)


def test_a_foreign_container_of_the_same_name_is_refused_and_left_alone(
    lab: Lab, other: tuple[SystemConfig, Lab], foreign: dict[str, Any]
) -> None:
    config, _ = other
    out = io.StringIO()
    assert run("up", "triagetest", config, None, out) == 1
    assert "There is a container triagetest-backend that is not the lab's; it was left as it is." in out.getvalue()
    assert run("down", "triagetest", config, None, out) == 0
    assert run("inject", "triagetest", config, "sms.c1.container-down", out) == 1
    assert lab.client.api.inspect_container(foreign["Id"])["State"]["Running"]


def test_a_taken_port_is_told_with_its_holder_before_anything_is_made(other: tuple[SystemConfig, Lab]) -> None:
    _, lab = other
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 25432))
        holder.listen()
        with pytest.raises(LabError, match=r"Port 25432 .* triagetest-database needs, is taken by .*pid"):
            lab.up()
    assert lab.status().services[0].state == "missing"


def test_down_removes_a_labs_things_and_leaves_the_other_lab_up(lab: Lab, other: tuple[SystemConfig, Lab]) -> None:
    _, second = other
    old = second.plan.volume("database")
    second.client.api.create_volume(old, labels={**second.plan.labels, "triage.lab.tables": "of an older release"})
    second.up()
    assert second.status().up
    assert second.client.api.inspect_volume(old)["Options"]["type"] == "tmpfs"
    second.down()
    mine = {"label": "triage.lab=triagetest"}
    assert second.client.api.containers(all=True, filters=mine) == []
    assert second.client.api.networks(filters=mine) == []
    assert not second.client.api.volumes(filters=mine)["Volumes"]
    assert lab.status().up
