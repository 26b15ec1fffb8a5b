"""The labs of the other systems: they come up whole, again, and speak as their guides have it."""

import json
from collections.abc import Callable

import httpx
import pytest

from console.practice.lab.people import token
from console.practice.lab.spec import Service
from console.practice.lab.stack import Lab
from console.practice.lab.target import Target

pytestmark = pytest.mark.engine

OTHERS = ("planner", "dotmac", "sovd")
UPGRADE = ("-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Version: 13")


@pytest.mark.parametrize("system", OTHERS)
def test_a_lab_is_up_and_bringing_it_up_again_changes_nothing(system: str, lab_of: Callable[[str], Lab]) -> None:
    lab = lab_of(system)
    assert lab.status().up
    before = {service: lab.container(service)["State"]["StartedAt"] for service in lab.plan.services}
    lab.up()
    assert {service: lab.container(service)["State"]["StartedAt"] for service in lab.plan.services} == before


@pytest.mark.parametrize("system", OTHERS)
def test_the_database_watches_statements_and_checks_its_pages(system: str, lab_of: Callable[[str], Lab]) -> None:
    target = Target(lab_of(system))
    assert target.sql("SHOW data_checksums") == "on"
    assert target.as_user("SELECT count(*) FROM pg_stat_statements").exit_code == 0
    assert target.as_user("SELECT bt_index_check('users_pkey'::regclass)").exit_code == 0
    setting = "ALTER SYSTEM SET log_min_duration_statement = 500"
    assert target.as_user(setting).exit_code == 0
    target.sql("ALTER SYSTEM RESET log_min_duration_statement")


def test_vehicle_diagnostics_shakes_hands_and_counts_requests(lab_of: Callable[[str], Lab]) -> None:
    lab = lab_of("sovd")
    target, base = Target(lab), f"http://127.0.0.1:{lab.plan.ports.backend}"
    address = "http://127.0.0.1:8000/ws/commands"
    key = ("-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    shaken = target.run(Service.BACKEND, "curl", "-s", "-i", "-N", "-m", "2", *UPGRADE, *key, address)
    assert shaken.stdout.startswith("HTTP/1.1 101")
    with httpx.Client(base_url=base, timeout=5, trust_env=False) as client:
        assert client.get("/health/ready").json() == {"status": "healthy", "database": "connected", "redis": "connected"}
        found = client.get("/api/v1/vehicles", headers={"X-Correlation-ID": "lab-1"})
        assert (found.status_code, found.headers["X-Correlation-ID"]) == (401, "lab-1")
        credentials = {"username": "nobody", "password": "wrong"}
        answers = [client.post("/api/v1/auth/login", json=credentials) for _ in range(12)]
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert 1 <= int(refused.headers["Retry-After"]) <= 61
        assert refused.json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"
        mine = token(lab.secret("jwt_secret"), "john_doe", "engineer")
        assert client.get("/api/v1/vehicles", headers={"Authorization": f"Bearer {mine}"}).status_code == 200


def test_the_planner_serves_its_certificate_and_asks_for_scopes(lab_of: Callable[[str], Lab]) -> None:
    import ssl

    lab = lab_of("planner")
    trust = ssl.create_default_context(cafile=str(lab.folder / "project" / "authority.pem"))
    with httpx.Client(verify=trust, timeout=5, trust_env=False) as client:
        assert client.get(f"https://localhost:{lab.plan.ports.tls}/health").status_code == 200
    target = Target(lab)
    assert target.ask("/api/v1/auth/login", method="POST", json={"username": "test", "password": "test"}) == 200
    assert target.ask("/api/v1/programs", token=token(lab.secret("jwt_secret"), "test", "MEMBER")) == 200
    assert target.ask("/api/v1/programs", token=token(lab.secret("jwt_secret"), "nobody", "MEMBER")) == 403


def test_the_host_of_the_isp_platform_has_units_that_systemctl_controls(lab_of: Callable[[str], Lab]) -> None:
    target = Target(lab_of("dotmac"))
    shown = target.must(Service.HOST, "systemctl", "show", "--property=ActiveState,UnitFileState,MainPID", "--", "dotmac")
    assert "ActiveState=active" in shown
    assert "UnitFileState=enabled" in shown
    target.stop(Service.CACHE)
    assert target.must(Service.HOST, "systemctl", "show", "--property=ActiveState", "--", "redis") == "ActiveState=inactive"
    target.start(Service.CACHE)
    assert target.running(Service.CACHE)
    unknown = target.run(Service.HOST, "systemctl", "start", "nothing.service")
    assert (unknown.exit_code, "not found" in unknown.stderr) == (5, True)
    assert "dotmac_db_" in target.must(Service.HOST, "ls", "/var/backups/dotmac")


def test_the_isp_platform_takes_payments_through_the_processor(lab_of: Callable[[str], Lab]) -> None:
    lab = lab_of("dotmac")
    target = Target(lab)
    mine = token(lab.secret("jwt_secret"), "user1@dotmac.local", "staff")
    assert target.ask("/api/payments", method="POST", json={"invoice": "5"}, token=mine) == 201
    site = f"http://127.0.0.1:{lab.plan.ports.outside}/api/health"
    assert json.loads(httpx.get(site, timeout=5, trust_env=False).text) == {"status": "ok"}
