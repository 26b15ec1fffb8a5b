"""Checks of the machine, its services, folders and settings, by what its commands print."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest
from guide_stack import MIB, NOW, FakeEngine, container
from machine_stack import MEMINFO, Environments, Machine, check, config, host_of, system, unit

from console.config import SystemConfig
from console.config_tables import FolderConfig, HostConfig
from console.guides.checks.files import can_write
from console.guides.checks.host_kills import killed
from console.guides.checks.host_watch import growth_per_min
from console.reading import FailureKind, SourceError
from console.sources.host import LocalHost
from console.sources.protocols.database import Value
from console.sources.protocols.endpoint import Answer
from console.sources.protocols.engine import State, Usage
from console.sources.protocols.host import FileEntry

DF = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 1000 {used} {free} 50% /\n"
SERVICES: dict[str, Any] = {
    "roles": {},
    "units": {"database": "postgresql", "cache": "redis-server", "backend": "dotmac"},
    "settings_files": {"backend": "/opt/dotmac/.env"},
    "settings": {"backend": {"DATABASE_URL": "postgresql://dotmac@localhost:5432/dotmac_db"}},
    "folders": {"uploads": FolderConfig(path="/app/uploads", owner="app")},
}


def dotmac(**changes: Any) -> SystemConfig:
    return config(**{**SERVICES, **changes})


def ps(*rows: tuple[int, str, int, str]) -> str:
    return "".join(f"{pid:>5} app {kib} 50 {name:<32} {command}\n" for pid, name, kib, command in rows)


async def test_a_disk_is_told_in_bytes_and_inodes() -> None:
    answers = {
        "df -P -k -- /app/uploads": DF.format(used=250, free=750),
        "df -P -i -- /app/uploads": DF.format(used=990, free=10),
    }
    made = await check(system(dotmac(), host_of(Machine(answers))), "host.disk", folder="uploads")
    assert made.facts == {"used_percent": 25.0, "free_bytes": 750 * 1024, "inodes_percent": 99.0}


async def test_a_folder_that_is_not_configured_leaves_the_disk_unknown() -> None:
    made = await check(system(dotmac(), host_of(Machine())), "host.disk", folder="nope")
    assert made.facts == {"used_percent": None, "free_bytes": None, "inodes_percent": None}
    assert made.failure is not None
    assert made.failure.kind is FailureKind.NOT_CONFIGURED


async def test_memory_and_swap_of_the_machine() -> None:
    made = await check(system(dotmac(), host_of(Machine({"cat": MEMINFO}))), "host.memory")
    assert made.facts == {"used_percent": 75.0, "swap_used_percent": 75.0, "available_bytes": 2 * 2**30}


async def test_a_machine_that_is_another_one_is_not_asked() -> None:
    away = config()
    assert away.engine is not None
    away = away.model_copy(update={"engine": away.engine.model_copy(update={"host": "ssh://ops@far"})})
    made = await check(system(away, host_of(Machine({"cat": MEMINFO}))), "host.memory")
    assert made.facts["used_percent"] is None
    played = away.model_copy(update={"host": HostConfig(kind="container", container="far-host")})
    made = await check(system(played, host_of(Machine({"cat": MEMINFO}))), "host.memory")
    assert made.facts["used_percent"] == 75.0


async def test_the_heaviest_process_and_the_share_of_a_service() -> None:
    answers = {
        "cat": MEMINFO,
        "ps": ps((100, "python", 838_861, "python -m dotmac"), (7, "chrome", 4_194_304, "chrome")),
        "top": "  PID USER %CPU COMMAND\n    7 app 10.0 chrome\n  100 app 180.0 python\n",
    }
    machine = Machine(answers, {"dotmac": unit(MemoryCurrent="838860800")})
    here = system(dotmac(), host_of(machine))
    made = await check(here, "host.processes", by="memory", service="backend")
    assert made.facts == {
        "top_percent": 50.0,
        "top_name": "chrome",
        "service_percent": 9.8,
        "service_memory_bytes": 838_860_800,
        "count": 2,
    }
    made = await check(here, "host.processes", by="cpu", service="backend")
    assert (made.facts["top_name"], made.facts["top_percent"], made.facts["service_percent"]) == ("python", 180.0, 180.0)


@pytest.mark.parametrize(
    ("users", "facts"),
    [
        ('users:(("postgres",pid=100,fd=5))', {"held": True, "foreign": False, "process": "postgres", "pid": 100}),
        ('users:(("postgres",pid=55,fd=5))', {"held": True, "foreign": False, "process": "postgres", "pid": 55}),
        ('users:(("nc",pid=66,fd=5))', {"held": True, "foreign": True, "process": "nc", "pid": 66}),
        ("", {"held": True, "foreign": None, "process": "", "pid": None}),
    ],
    ids=["main process", "same program", "stranger", "unseen"],
)
async def test_who_holds_a_port_of_a_service(users: str, facts: dict[str, object]) -> None:
    answers = {"ss": f"LISTEN 0 244 127.0.0.1:5432 0.0.0.0:* {users}\n", "ps": ps((66, "nc", 100, "nc -l 5432"))}
    machine = Machine(answers, {name: unit() for name in ("postgresql", "redis-server", "dotmac")})
    made = await check(system(dotmac(), host_of(machine)), "host.port", port=5432)
    assert made.facts == facts


async def test_a_port_that_nobody_holds() -> None:
    made = await check(system(dotmac(), host_of(Machine({"ss": ""}))), "host.port", role="database")
    assert made.facts == {"held": False, "foreign": False, "process": "", "pid": 0}


async def test_the_packet_filter_keeps_a_port_out_or_cannot_be_asked() -> None:
    closed = "Status: active\nDefault: deny (incoming), allow (outgoing)\n"
    made = await check(system(dotmac(), host_of(Machine({"ufw": closed}))), "host.firewall", port=8000)
    assert made.facts == {"active": True, "allows": False}
    made = await check(system(dotmac(), host_of(Machine())), "host.firewall", port=8000)
    assert made.facts == {"active": None, "allows": None}
    assert made.unread


DMESG = """2026-11-18T11:00:00,000000+00:00 Out of memory: Killed process 12 (python) total-vm:1kB
2026-11-18T11:01:00,000000+00:00 oom-kill:constraint=CONSTRAINT_MEMCG,task_memcg=/docker/{id},task=sh,pid=13,uid=0
2026-11-18T11:01:00,000001+00:00 Memory cgroup out of memory: Killed process 13 (sh) total-vm:1kB
2026-11-18T09:00:00,000000+00:00 Out of memory: Killed process 14 (old) total-vm:1kB
not a line of the kernel
""".replace("{id}", "a" * 64)


def test_a_kill_within_a_container_of_others_is_not_ours() -> None:
    assert [line.rpartition("process ")[2][:2] for _, line in killed(DMESG)] == ["12", "14"]
    assert [line.rpartition("process ")[2][:2] for _, line in killed(DMESG, {"a" * 64})] == ["12", "13", "14"]


async def test_kills_are_counted_within_the_window() -> None:
    machine = Machine({"dmesg": DMESG}, {name: unit() for name in ("postgresql", "redis-server", "dotmac")})
    made = await check(system(dotmac(), host_of(machine)), "host.oom", window="1h")
    assert made.facts == {"kills": 1}


async def test_without_the_kernels_log_services_and_containers_tell_of_kills() -> None:
    refused = (1, b"", b"dmesg: read kernel buffer failed: Operation not permitted")
    machine = Machine(
        {"dmesg": refused}, {"postgresql": unit(), "redis-server": unit(), "dotmac": unit("failed", Result="oom-kill")}
    )
    made = await check(system(dotmac(), host_of(machine)), "host.oom")
    assert made.facts == {"kills": 1}
    assert made.unread
    engine = FakeEngine()
    engine.change("backend", state=State.EXITED, oom_killed=True, finished_at=NOW - 60)
    made = await check(system(config(), host_of(Machine({"dmesg": refused})), engine), "host.oom")
    assert made.facts == {"kills": 1}


def test_growth_is_the_slope_of_all_looks() -> None:
    assert growth_per_min([(0.0, 100), (1.0, 110), (2.0, 120)]) == pytest.approx(600)
    assert growth_per_min([(5.0, 100), (5.0, 100)]) is None


class Growing(FakeEngine):
    """A backend whose memory changes by so much from one look to the next."""

    step = 0
    looked = 0

    async def usage(self, name: str) -> Usage:
        self.looked += 1
        return Usage(NOW + self.looked, 1.0, 100 * MIB + self.looked * self.step, 256 * MIB)


@pytest.mark.parametrize(("step", "growing"), [(MIB, True), (0, False), (-MIB, False), (256 * 1024, False)])
async def test_memory_that_grows_is_seen_within_seconds(step: int, growing: bool) -> None:
    engine = Growing()
    engine.step = step
    made = await check(system(config(), host_of(Machine()), engine), "host.growth", role="backend", **{"for": "2s"})
    assert made.facts["growing"] is growing
    assert made.facts["bytes_per_min"] == step * 60


async def test_memory_that_was_measured_once_is_unknown() -> None:
    made = await check(system(config(), host_of(Machine()), FakeEngine()), "host.growth", role="backend")
    assert made.facts["growing"] is None
    assert made.failure is not None


@pytest.mark.parametrize(("ahead_s", "skew_s"), [(0.0, 0.0), (90.0, 90.0), (-300.0, 300.0)])
async def test_a_machine_whose_clock_is_wrong(ahead_s: float, skew_s: float) -> None:
    made = await check(system(dotmac(), host_of(Machine(now=NOW + ahead_s))), "host.clock", against="system")
    assert made.facts == {"skew_s": skew_s, "ahead_s": ahead_s}


async def test_the_clock_of_the_backend_is_told_by_its_answers() -> None:
    class Web:
        async def get(self, name: str) -> Answer:
            return Answer("http://x", 503, 0.01, {"date": "Wed, 18 Nov 2026 11:08:40 GMT"}, "")

    class Hanging:
        async def get(self, name: str) -> Answer:
            await asyncio.Event().wait()
            raise AssertionError

    class Database:
        async def select(self, query: str, **_more: object) -> list[dict[str, Value]]:
            return [{"now": NOW - 30.0}]

    here = system(config(), host_of(Machine()), FakeEngine(), endpoints=Web(), database=Database())
    made = await check(here, "host.clock", against="backend")
    assert made.facts == {"skew_s": 120.5, "ahead_s": 120.5}
    mute = system(dotmac(), host_of(Machine(now=NOW + 7)), endpoints=Hanging())
    made = await check(mute, "host.clock", against="backend")
    assert made.facts == {"skew_s": 7.0, "ahead_s": 7.0}, "a service that hangs is told by its machine"
    made = await check(here, "host.clock", against="database")
    assert made.facts == {"skew_s": 30.0, "ahead_s": -30.0}


@pytest.mark.parametrize(
    ("shown", "facts"),
    [
        (unit(), {"known": True, "running": True, "active": "active", "memory_bytes": 104_857_600, "uptime_s": 4000.0}),
        (unit("failed", Result="exit-code"), {"running": False, "active": "failed", "result": "exit-code", "uptime_s": 0.0}),
        (unit("inactive", UnitFileState="disabled"), {"running": False, "active": "inactive", "enabled": False}),
        (unit("activating", NRestarts="7"), {"running": False, "active": "activating", "restarts": 7}),
        (None, {"known": False, "running": False, "active": "absent", "enabled": False}),
    ],
    ids=["active", "failed", "stopped", "restarting", "absent"],
)
async def test_a_service_of_the_machine(shown: dict[str, str] | None, facts: dict[str, object]) -> None:
    machine = Machine(units={"dotmac": shown} if shown else {})
    made = await check(system(dotmac(), host_of(machine)), "service.state", role="backend")
    assert made.facts == {**made.facts, **facts}
    assert None not in made.facts.values()


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({}, {"running": True, "active": "active", "uptime_s": 7200.0, "memory_bytes": 100 * MIB}),
        ({"state": State.EXITED, "exit_code": 1}, {"running": False, "active": "failed", "result": "exit-code"}),
        ({"state": State.EXITED, "exit_code": 137, "oom_killed": True}, {"active": "failed", "result": "oom-kill"}),
        ({"state": State.EXITED, "exit_code": 143}, {"active": "inactive", "result": "success"}),
        ({"state": State.PAUSED}, {"running": False, "active": "other"}),
    ],
)
async def test_a_service_in_a_container(changes: dict[str, Any], facts: dict[str, object]) -> None:
    engine = FakeEngine()
    engine.change("backend", **changes)
    made = await check(system(config(), host_of(Machine()), engine), "service.state", role="backend")
    assert made.facts == {**made.facts, **facts}


async def test_a_container_that_does_not_exist_is_absent() -> None:
    engine = FakeEngine(items={"other": container("other")})
    made = await check(system(config(), host_of(Machine()), engine), "service.state", role="backend")
    assert (made.facts["known"], made.facts["active"]) == (False, "absent")


async def test_a_role_that_is_nothing_is_not_configured() -> None:
    made = await check(system(dotmac(), host_of(Machine())), "service.state", role="proxy")
    assert made.failure is not None
    assert made.failure.kind is FailureKind.NOT_CONFIGURED


@pytest.mark.parametrize(
    ("owner", "group", "mode", "writes"),
    [
        ("app", "app", 0o755, True),
        ("root", "root", 0o755, False),
        ("root", "app", 0o775, True),
        ("root", "root", 0o777, True),
        ("app", "app", 0o555, False),
    ],
)
def test_the_bits_of_a_folder_tell_who_can_write(owner: str, group: str, mode: int, writes: bool) -> None:
    assert can_write(FileEntry("/app/uploads", True, owner, group, mode, 0, 0.0), "app:app") is writes


async def test_a_folder_with_old_files(tmp_path: Path) -> None:
    for name, days in (("new", 1), ("old", 40), ("older", 60)):
        (tmp_path / name).write_bytes(b"12345")
        os.utime(tmp_path / name, (time.time() - days * 86_400,) * 2)
    host = LocalHost()
    here = system(dotmac(folders={"uploads": FolderConfig(path=str(tmp_path), owner=tmp_path.owner())}), host)
    made = await check(here, "files.folder", folder="uploads")
    expected = {
        "exists": True,
        "owner": tmp_path.owner(),
        "writable": True,
        "files": 3,
        "bytes": 15,
        "old_files": 2,
        "old_bytes": 10,
    }
    assert made.facts == {**made.facts, **expected}
    made = await check(here, "files.folder", path=str(tmp_path / "nope"))
    assert (made.facts["exists"], made.facts["writable"]) == (False, False)
    made = await check(here, "files.folder", path=f"{tmp_path}/../etc")
    assert made.failure is not None
    assert made.failure.kind is FailureKind.DECLINED
    await host.aclose()


ENV = "DATABASE_URL=postgresql://dotmac:hunter2secret@localhost:5432/dotmac_db\nJWT_SECRET_KEY=topsecret-1\nSMTP_PASSWORD=\n"


async def test_settings_of_a_service_come_from_its_file_and_secrets_are_not_shown() -> None:
    here = system(dotmac(), host_of(Machine(files={"/opt/dotmac/.env": ENV})))
    made = await check(here, "settings.present", role="backend", names=("JWT_SECRET_KEY", "SMTP_PASSWORD", "NOPE"))
    assert made.facts == {"missing": 2, "first_missing": "SMTP_PASSWORD"}
    assert "topsecret" not in str(made)
    made = await check(here, "settings.value", role="backend", name="DATABASE_URL")
    assert made.facts == {**made.facts, "set": True, "as_expected": True, "host": "localhost", "differs": ""}
    assert "hunter2secret" not in str(made)
    made = await check(here, "settings.value", role="backend", name="JWT_SECRET_KEY")
    assert (made.facts["set"], made.facts["value"], made.facts["as_expected"]) == (True, "•••", None)
    assert "topsecret" not in str(made)


async def test_a_value_that_branches_tell_apart() -> None:
    here = system(dotmac(), host_of(Machine(files={"/opt/dotmac/.env": "JWT_ALGORITHM=none\n"})))
    made = await check(here, "settings.value", role="backend", name="JWT_ALGORITHM", one_of=("HS256", "RS256"))
    assert made.facts["value"] == "other"
    made = await check(here, "settings.value", role="backend", name="NOPE", one_of=("HS256",))
    assert (made.facts["set"], made.facts["value"]) == (False, "")


@pytest.mark.parametrize(
    ("written", "facts"),
    [
        ("k1-secret", {"set": True, "same": True}),
        ("k2-secret", {"set": True, "same": False}),
        ("", {"set": False, "same": False}),
    ],
)
async def test_a_secret_is_compared_and_never_shown(written: str, facts: dict[str, bool]) -> None:
    engine = Environments(environments={"sms-backend": {"JWT_SECRET_KEY": "k1-secret"}})
    here = system(
        config(settings_files={"backend": "/srv/.env"}),
        host_of(Machine(files={"/srv/.env": f"JWT_SECRET_KEY={written}\n"})),
        engine,
    )
    made = await check(here, "settings.same", role="backend", name="JWT_SECRET_KEY")
    assert made.facts == facts
    assert "k1-secret" not in str(made)
    assert "k2-secret" not in str(made)


async def test_a_settings_file_that_is_not_there_leaves_everything_unknown() -> None:
    made = await check(system(dotmac(), host_of(Machine())), "settings.present", role="backend", names=("A",))
    assert made.facts == {"missing": None, "first_missing": None}
    assert made.failure is not None
    assert made.failure.kind is FailureKind.MISSING


async def test_no_engine_leaves_settings_of_a_container_unknown() -> None:
    engine = Environments(failure=SourceError(FailureKind.REFUSED, "The engine refused."))
    made = await check(system(config(), host_of(Machine()), engine), "settings.present", role="backend", names=("A",))
    assert made.facts == {"missing": None, "first_missing": None}
