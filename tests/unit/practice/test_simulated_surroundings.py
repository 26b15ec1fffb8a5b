"""What is changed in a practice world shows where it would show live: in answers, in logs, in states, and nowhere else."""

import pytest
from simulated_worlds import Stage
from turned_clock import Clock

from console.practice.simulated.behaviour import Behaviour, Complaint
from console.practice.simulated.certificates import make_chain
from console.practice.simulated.database import SimulatedDatabase
from console.practice.simulated.furniture import write_certificate
from console.practice.simulated.machine import Process
from console.practice.simulated.network import SERVFAIL, MailServer, Site
from console.practice.simulated.traffic import Loop
from console.practice.simulated.volume import MIB
from console.practice.simulated.web import make_token
from console.practice.simulated.world import World
from console.reading import FailureKind, SourceError

DAY_S = 86_400

# The service's environment --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        (
            "DATABASE_URL",
            "postgresql://sovd_user:sovd_password@database:5432/sovd_db",
            'could not translate host name "database"',
        ),
        ("DATABASE_URL", "postgresql://sovd_user:sovd_password@db:5433/sovd_db", "port 5433 failed: Connection refused"),
        ("DATABASE_URL", "postgresql://sovd_user:wrong@db:5432/sovd_db", 'password authentication failed for user "sovd_user"'),
        ("DATABASE_URL", "postgresql://sovd_user:sovd_password@db:5432/sovd", 'database "sovd" does not exist'),
        ("JWT_SECRET_KEY", None, "KeyError: 'JWT_SECRET_KEY'"),
    ],
)
def test_a_service_that_is_told_wrong_ends_at_its_start_and_says_why(
    clock: Clock, variable: str, value: str | None, told: str
) -> None:
    def tell(world: World) -> None:
        world.set_variable("backend", variable, value)
        world.restart("backend")

    stage = Stage("sovd", clock, tell)
    assert told in stage.log("backend")
    backend = stage.world.role("backend")
    assert (backend.state, backend.exit_code) == ("exited", 1)


async def test_a_wrong_redis_address_cuts_what_needs_redis_and_nothing_else(clock: Clock) -> None:
    def tell(world: World) -> None:
        world.set_variable("backend", "REDIS_URL", "redis://cache:6379/0")
        world.restart("backend")

    stage = Stage("sovd", clock, tell)
    ready = await stage.network.http(stage.url("health"))
    assert (ready.status, ready.body) == (503, '{"status": "unhealthy", "database": "connected", "redis": "disconnected"}')
    assert (await stage.network.handshake(stage.url("websocket"))).status == 500
    assert "Error -2 connecting to cache:6379" in stage.log("backend")
    stage.world.set_variable("backend", "REDIS_URL", "redis://redis:6379/0")
    stage.world.restart("backend")
    stage.passes(20)
    assert (await stage.network.http(stage.url("health"))).status == 200


def test_a_unit_reads_its_settings_file_when_it_starts(clock: Clock) -> None:
    stage = Stage("dotmac", clock)
    stage.world.set_variable("backend", "DATABASE_URL", "postgresql://dotmac:wrong@localhost:5432/dotmac_db")
    stage.passes(10)
    assert stage.world.units["backend"].running
    stage.world.restart("backend")
    stage.passes(40)
    unit = stage.world.units["backend"]
    assert (unit.active, unit.result) == ("failed", "exit-code")
    assert 'password authentication failed for user "dotmac"' in stage.log("backend")
    assert 'password authentication failed for user "dotmac"' in stage.log("database")


async def test_a_database_without_tables_ends_the_service_until_its_script_is_run(clock: Clock) -> None:
    def lose(world: World) -> None:
        world.lose_tables("users")
        world.restart("backend")

    stage = Stage("sovd", clock, lose)
    assert 'relation "users" does not exist' in stage.log("backend")
    assert not stage.world.running("backend")
    stage.world.initialise()
    stage.world.role("backend").start(stage.world.now)
    stage.passes(20)
    assert (await stage.network.http(stage.url("health"))).status == 200


# Requests -------------------------------------------------------------------------------------------------------------


def test_a_slow_path_is_slow_in_the_log_and_in_the_histogram(clock: Clock) -> None:
    def slow(world: World) -> None:
        world.backend.behaviours["/api/customers"] = Behaviour(extra_s=2.4, calls=40)

    stage = Stage("dotmac", clock, slow)
    assert "Request took 2." in stage.log("backend", 400)
    latency = {item.endpoint: item.p95_s for item in stage.world.window.latency().endpoints}
    assert latency["/api/customers"] is not None
    assert latency["/api/customers"] > 2
    assert (latency["/api/customer"] or 9) < 0.5


def test_a_path_that_fails_for_some_requests_is_told_with_its_complaint(clock: Clock) -> None:
    def fail(world: World) -> None:
        why = Complaint("Unhandled exception", world.backend.service.exception("RuntimeError: dictionary changed size"))
        world.backend.behaviours["/api/v1/students"] = Behaviour(fail_share=0.4, complaint=why)

    stage = Stage("sms", clock, fail)
    log = stage.log("backend", 600)
    assert "Unhandled exception while answering GET /api/v1/students" in log
    assert "RuntimeError: dictionary changed size" in log
    assert "GET /api/v1/grades 500" not in log


async def test_a_client_that_loops_meets_its_limit_and_nobody_else_does(clock: Clock) -> None:
    def loop(world: World) -> None:
        world.traffic.loops.append(Loop("10.20.0.5", "/api/v1/vehicles", 6.0))

    stage = Stage("sovd", clock, loop)
    refused = [line for line in stage.log("backend", 2_000).splitlines() if " 429 " in line]
    assert len(refused) > 100
    assert all("client=10.20.0.5 user=john_doe role=engineer" in line for line in refused)
    assert "User john_doe (role=engineer) hit rate limit on /api/v1/vehicles" in stage.log("backend", 2_000)


async def test_the_console_meets_a_limit_as_everybody_does(clock: Clock) -> None:
    stage = Stage("sovd", clock)
    answers = [await stage.network.http(stage.url("vehicles")) for _ in range(101)]
    assert [answer.status for answer in answers[99:]] == [401, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert "Rate limit exceeded: 100 per 1 minute" in answers[-1].body


def test_more_traffic_than_usual_is_counted(clock: Clock) -> None:
    def surge(world: World) -> None:
        world.traffic.factor = 3.0

    stage, usual = Stage("planner", clock, surge), Stage("planner", clock)
    rates = [item.world.window.latency().requests_per_s or 0 for item in (stage, usual)]
    assert 2.4 < rates[0] / rates[1] < 3.6


def test_a_leak_grows_until_the_kernel_ends_the_process(clock: Clock) -> None:
    def leak(world: World) -> None:
        world.backend.leak_bytes_per_s = 0.6 * MIB

    stage = Stage("planner", clock, leak, before_s=100)
    backend = stage.world.role("backend")
    assert backend.restart_count == 0
    assert backend.samples[-1].memory_bytes > 170 * MIB
    stage.passes(200)
    assert (backend.restart_count, backend.oom_killed) == (1, True)


@pytest.mark.parametrize(
    ("secret", "claims", "told"),
    [
        (None, {"sub": "john_doe", "exp": 1_700_000_000}, "Token has expired"),
        ("another secret", {"sub": "john_doe", "exp": 4_000_000_000}, "Invalid token signature"),
        (None, {"sub": "john_doe", "iat": 3_900_000_000, "exp": 4_000_000_000}, "not yet valid"),
        (None, {"sub": "john_doe", "exp": 4_000_000_000}, ""),
    ],
)
async def test_a_token_is_taken_or_refused_with_its_reason_in_the_log(
    clock: Clock, secret: str | None, claims: dict[str, object], told: str
) -> None:
    stage = Stage("sovd", clock)
    token = make_token(secret or stage.world.backend.environment["JWT_SECRET_KEY"], claims)
    answer = await stage.network.http(stage.url("vehicles"), headers={"Authorization": f"Bearer {token}"})
    assert answer.status == (401 if told else 200)
    assert told in stage.log("backend", 1)


@pytest.mark.parametrize(("password", "status"), [("test", 200), ("guess", 401)])
async def test_a_login_is_checked_against_the_table_of_users(clock: Clock, password: str, status: int) -> None:
    stage = Stage("planner", clock)
    answer = await stage.network.http(stage.url("login"), method="POST", json={"username": "test", "password": password})
    assert answer.status == status
    if status == 401:
        assert "Login failed for test: password hash mismatch" in stage.log("backend", 1)
    stage.world.database.tables.run("UPDATE users SET password_hash = 'x' WHERE username = 'test'")
    again = await stage.network.http(stage.url("login"), method="POST", json={"username": "test", "password": password})
    assert again.status == 401


async def test_a_websocket_is_refused_to_a_foreign_origin(clock: Clock) -> None:
    stage = Stage("sovd", clock)
    own, foreign = "http://localhost:5273", "http://evil.example"
    assert (await stage.network.handshake(stage.url("websocket"), origin=own)).status == 101
    assert (await stage.network.handshake(stage.url("websocket"), origin=foreign)).status == 403


async def test_a_proxy_that_drops_the_upgrade_leaves_everything_else_alone(clock: Clock) -> None:
    stage = Stage("sovd", clock)
    stage.world.network.dropped_headers.add("upgrade")
    assert (await stage.network.handshake(stage.url("websocket"))).status == 426
    assert (await stage.network.handshake("ws://127.0.0.1:5273/ws/commands")).status == 426
    assert (await stage.network.http("http://127.0.0.1:5273/health/ready")).status == 200
    stage.world.role("backend").stop(stage.world.now)
    assert (await stage.network.http("http://127.0.0.1:5273/health/ready")).status == 502
    assert (await stage.network.http(stage.url("frontend"))).status == 200


# The network ----------------------------------------------------------------------------------------------------------


async def test_certificates_expire_lose_their_chain_or_carry_another_name(clock: Clock) -> None:
    stage = Stage("planner", clock)

    async def shown() -> tuple[bool | None, bool | None, str]:
        answer = await stage.network.tls("127.0.0.1", 8143, server_name="planner.local")
        return answer.trusted, answer.name_matches, answer.message

    assert await shown() == (True, True, "")
    assert (await stage.network.http("https://127.0.0.1:8143/health")).status == 200
    write_certificate(stage.world, "web", ends_in_days=-2)
    assert await shown() == (True, True, "certificate has expired")
    assert (await stage.network.http("https://127.0.0.1:8143/health")).reason == "tls"
    write_certificate(stage.world, "web", intermediate=False)
    assert (await shown())[0] is False
    write_certificate(stage.world, "web", names=("shop.example",))
    assert (await shown())[1] is False
    now = stage.world.now
    stage.world.network.certificates["127.0.0.1:8143"] = make_chain(("planner.local",), now, now + DAY_S, self_signed=True)
    assert (await shown())[2] == "self-signed certificate"


async def test_names_resolve_as_each_resolver_says(clock: Clock) -> None:
    stage = Stage("dotmac", clock)
    around, name = stage.world.network, "payment-processor.example"
    assert (await stage.network.resolve(name)).addresses == ("192.0.2.44",)
    around.other_names[name] = around.names[name]
    around.names[name] = SERVFAIL
    assert ((await stage.network.resolve(name)).reason, (await stage.network.resolve(name, server="9.9.9.9")).reason) == (
        "other",
        "",
    )
    del around.names[name]
    assert (await stage.network.resolve(name)).reason == "nxdomain"
    assert (await stage.network.http(f"http://{name}/api/health")).reason == "unresolved"
    around.slow_resolver_s = 5.0
    assert (await stage.network.resolve(name)).reason == "timeout"


async def test_a_foreign_site_fails_is_slow_or_is_cut_off(clock: Clock) -> None:
    stage = Stage("dotmac", clock)
    url, around = stage.world.config.links["payment_processor"], stage.world.network
    base = url.removesuffix("health")
    around.sites[base] = Site(503)
    assert (await stage.network.http(url)).status == 503
    around.sites[base] = Site(latency_s=9)
    assert (await stage.network.http(url)).reason == "timeout"
    around.sites[base] = Site(down="refused")
    around.blocked.add("127.0.0.1:8380")
    assert (await stage.network.tcp("127.0.0.1", 8380)) == "timeout"


async def test_a_mail_server_checks_login_and_sender(clock: Clock) -> None:
    stage = Stage("sms", clock)
    settings = stage.world.role("backend").environment
    host, port = settings["SMTP_HOST"], int(settings["SMTP_PORT"])
    user, password, sender = settings["SMTP_USER"], settings["SMTP_PASSWORD"], settings["SMTP_FROM"]
    well = await stage.network.smtp(host, port, user=user, password=password, sender=sender)
    assert (well.connected, well.starttls, well.login_accepted, well.sender_accepted) == (True, True, True, True)
    assert (await stage.network.smtp(host, port, user=user, password="old")).login_accepted is False
    assert (await stage.network.smtp(host, port, user=user, password=password, sender="a@b.example")).sender_accepted is False
    stage.world.network.mail[f"{host}:{port}"] = MailServer(down="timeout")
    assert (await stage.network.smtp(host, port)).reason == "timeout"


async def test_a_device_answers_the_versions_that_it_speaks_to_its_community(clock: Clock) -> None:
    stage = Stage("dotmac", clock)
    told = {version: await stage.network.snmp("192.168.1.1", version=version, community="public") for version in ("1", "2c", "3")}
    assert {version: answer.answered for version, answer in told.items()} == {"1": True, "2c": True, "3": True}
    stage.world.network.devices["192.168.1.1"].versions = {"1", "2c"}
    assert (await stage.network.snmp("192.168.1.1", version="3", community="public")).reason == "timeout"
    assert (await stage.network.snmp("192.168.1.1", version="2c", community="private")).reason == "timeout"
    assert (await stage.network.snmp("192.168.1.99", version="2c", community="public")).reason == "timeout"


async def test_the_packet_filter_hides_the_app_from_outside_only(clock: Clock) -> None:
    stage = Stage("planner", clock)
    stage.world.machine.firewall.denied.add("8100/tcp")
    assert not (await stage.host.firewall(8100)).allows
    assert (await stage.network.http("http://127.0.0.1:8100/health")).status == 200
    assert (await stage.network.http("http://planner.local:8100/health")).reason == "timeout"
    await stage.host.allow_port(8100)
    assert (await stage.network.http("http://planner.local:8100/health")).status == 200


async def test_a_filter_that_spares_not_even_the_machine_cuts_its_services_off(clock: Clock) -> None:
    stage = Stage("dotmac", clock)
    stage.world.machine.firewall.on_loopback = True
    stage.world.machine.firewall.allowed.discard("5732/tcp")
    stage.world.restart("backend")
    stage.passes(30)
    assert "Connection timed out" in stage.log("backend", 400)
    assert stage.world.config.postgres is not None
    database = SimulatedDatabase(stage.world, stage.world.config.postgres, key="systems.dotmac.postgres")
    assert (await database.accepts()).reason == "timeout"
    await stage.host.allow_port(5732)
    assert (await database.accepts()).accepting
    await database.aclose()


async def test_what_the_service_meets_outside_fails_its_requests(clock: Clock) -> None:
    stage = Stage("dotmac", clock)
    stage.world.machine.files["/app/uploads"].owner = "root"
    stage.world.network.names.pop("payment-processor.example")
    stage.passes(90)
    told = stage.log("backend", 2000)
    assert "Permission denied: '/app/uploads/invoice_" in told
    assert "payment failed: Failed to connect to payment-processor.example: [Errno -2] Name or service not known" in told


async def test_a_port_that_drops_packets_cuts_the_service_from_its_database(clock: Clock) -> None:
    stage = Stage("dotmac", clock)
    stage.world.network.blocked.add("localhost:5432")
    stage.passes(150)
    assert "Connection timed out" in stage.log("backend", 400)
    assert (await stage.network.http(stage.url("health"))).status == 503


# The machine ----------------------------------------------------------------------------------------------------------


async def test_a_unit_that_is_stopped_is_told_and_started_through_systemctl(clock: Clock) -> None:
    def stop(world: World) -> None:
        world.units["cache"].stop(world.now)
        world.units["cache"].enabled = False

    stage = Stage("dotmac", clock, stop)
    unit = await stage.host.unit("redis-server")
    assert (unit.known, unit.active, unit.enabled, unit.main_pid) == (True, "inactive", False, None)
    assert "Error 111 connecting to localhost:6379" in stage.log("backend", 400)
    assert await stage.host.port_owners([6679]) == ()
    await stage.host.control_unit("redis-server", "start")
    await stage.host.control_unit("redis-server", "enable")
    stage.passes(5)
    unit = await stage.host.unit("redis-server")
    assert (unit.active, unit.enabled) == ("active", True)
    assert not (await stage.host.unit("nginx")).known
    with pytest.raises(SourceError) as raised:
        await stage.host.control_unit("nginx", "start")
    assert raised.value.failure.kind is FailureKind.MISSING


async def test_a_folder_that_belongs_to_somebody_else_makes_the_service_unwell(clock: Clock) -> None:
    stage = Stage("dotmac", clock)
    stage.world.machine.files["/app/uploads"].owner = "root"
    assert '"file_system": false' in (await stage.network.http(stage.url("health"))).body
    await stage.host.set_owner("/app/uploads", "app:app", 0o755)
    found = await stage.host.file("/app/uploads")
    assert found is not None
    assert (found.owner, found.mode, found.is_folder) == ("app", 0o755, True)
    assert (await stage.network.http(stage.url("health"))).status == 200


async def test_files_that_are_removed_give_their_room_back(clock: Clock) -> None:
    stage = Stage("dotmac", clock)
    before, files = (await stage.host.disk("/app/uploads")).free_bytes, await stage.host.folder("/app/uploads")
    old = [item for item in files if stage.world.now - item.modified_at > 20 * DAY_S]
    assert 0 < len(old) < len(files) == 40
    assert len(await stage.host.remove(old[:1])) == 1
    assert len(await stage.host.remove(old[:1])) == 0
    assert (await stage.host.disk("/app/uploads")).free_bytes == pytest.approx(before + old[0].size_bytes, abs=1024)
    assert len(await stage.host.folder("/app/uploads")) == 39


async def test_a_process_that_eats_memory_is_seen_and_can_be_ended(clock: Clock) -> None:
    stage = Stage("dotmac", clock)
    before = (await stage.host.memory()).available_bytes
    hungry = Process(4_411, "python3", "python3 export_all.py", "app", 3_000 * MIB, 97.0, stage.world.now - 600)
    stage.world.machine.processes.append(hungry)
    assert before - (await stage.host.memory()).available_bytes == 3_000 * MIB
    (seen,) = [item for item in await stage.host.processes() if item.pid == 4_411]
    assert (seen.name, seen.memory_bytes, seen.cpu_percent, seen.user) == ("python3", 3_000 * MIB, 97.0, "app")
    assert seen.started_at is not None
    assert await stage.host.end_process(4_411, seen.started_at)
    assert (await stage.host.memory()).available_bytes == before


async def test_a_clock_that_is_ahead_shows_in_the_machine_the_containers_and_the_service(clock: Clock) -> None:
    stage = Stage("sovd", clock)
    stage.world.machine.clock_ahead_s = 400
    assert await stage.host.now() == pytest.approx(stage.world.now + 400)
    dated = (await stage.network.http(stage.url("live"))).headers["date"]
    assert dated.endswith("12:06:40 GMT")


async def test_the_log_of_a_unit_is_read_with_its_times(clock: Clock) -> None:
    stage = Stage("dotmac", clock)
    lines = await stage.host.log_tail("/var/log/dotmac/app.log", name="backend", lines=30)
    assert len(lines) == 30
    assert lines[-1].at == pytest.approx(stage.world.now, abs=5)
    assert [line.at for line in lines] == sorted(line.at for line in lines)
