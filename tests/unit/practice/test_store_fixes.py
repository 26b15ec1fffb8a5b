"""Fixes of PostgreSQL and Redis on a practice stack that needs them: each is previewed, applied, and mends what was wrong."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from turned_clock import Clock

from console.config import SystemConfig
from console.config_tables import IndexConfig
from console.guides.checks import find_check, run_check
from console.guides.fixes import apply_fix, preview_fix
from console.guides.fixes.action import action
from console.guides.issue import CheckCall, Fix
from console.guides.readings import Readings
from console.practice.simulated.cache import SimulatedCache
from console.practice.simulated.catalogue import Index
from console.practice.simulated.database import SimulatedDatabase
from console.practice.simulated.host import SimulatedHost
from console.practice.simulated.redis import Key
from console.practice.simulated.system import simulated_world
from console.practice.simulated.workload import Slowed
from console.practice.simulated.world import World
from console.system import System

ATTENDANCE = "idx_attendance_student_date"
FIRST = "student1@studentmanagement.local"
PERMISSIONS = (
    "FROM user_permission p JOIN {user} u ON u.id = p.user_id WHERE u.email = :email AND p.permission_name = 'grades:read'"
)
CACHED = {"key": "grades:student:7", "field": "grade_date"}


def drop(world: World) -> None:
    world.database.drop_index(ATTENDANCE)


def leave_unfinished(world: World) -> None:
    world.database.drop_index(ATTENDANCE)
    world.database.indexes[ATTENDANCE] = Index("attendance", ("student_id", "attendance_date"), valid=False)


def age(world: World) -> None:
    world.database.workload.slowed["grade"] = Slowed(30, "analyze")
    world.database.table_stats["grade"].analyzed_at = world.now - 20 * 86_400
    world.database.table_stats["grade"].changed = 9_000


def bloat(world: World) -> None:
    world.database.table_stats["attendance"].dead = 40_000


def damage(world: World) -> None:
    world.database.damage_index(ATTENDANCE, world.now)


def hold(world: World) -> None:
    holder = world.database.park(world.now, "psql", "172.18.0.1", idle_s=40, query="LOCK TABLE grade", in_transaction=True)
    world.database.locks.hold("grade", holder)


def run_long(world: World) -> None:
    world.database.run_long(world.now, "reporting", "172.18.0.9", "SELECT * FROM attendance a, attendance b", for_s=400)


def log_nothing(world: World) -> None:
    world.database.settings.put("log_min_duration_statement", "-1")


def take_permission(world: World) -> None:
    world.database.tables.run(
        "DELETE FROM user_permission WHERE permission_name = 'grades:read' "
        'AND user_id = (SELECT id FROM "user" WHERE email = %(email)s)',
        {"email": FIRST},
    )


def keep_old(world: World) -> None:
    world.cache.keys["grades:student:7"] = Key(json.dumps([{"grade_date": "2026-03-01"}]), None, world.now)


def fill(world: World) -> None:
    world.cache.filled_bytes = 60 << 20


CASES: dict[str, tuple[Callable[[World], None], str, dict[str, Any], str, dict[str, Any], str, object, object]] = {
    "create": (drop, "postgres.create_index", {"missing": True}, "postgres.indexes", {}, "missing", 1, 0),
    "finish": (leave_unfinished, "postgres.create_index", {"index": ATTENDANCE}, "postgres.indexes", {}, "invalid", 1, 0),
    "analyze": (
        age,
        "postgres.analyze",
        {"tables": ("grade",)},
        "postgres.tables",
        {"tables": ("grade",)},
        "analyze_age_s",
        20 * 86_400 + 300,
        0,
    ),
    "vacuum": (bloat, "postgres.vacuum_full", {}, "postgres.tables", {}, "dead_table", "attendance", ""),
    "reindex": (damage, "postgres.reindex", {}, "postgres.integrity", {}, "index_errors", 1, 0),
    "blocker": (hold, "postgres.end_blocker", {}, "postgres.locks", {}, "head_state", "idle in transaction", ""),
    "cancel": (run_long, "postgres.cancel_long", {"over": "60s"}, "postgres.statements", {"over": "60s"}, "long", 1, 0),
    "end": (run_long, "postgres.end_long", {"over": "60s"}, "postgres.statements", {"over": "60s"}, "long", 1, 0),
    "setting": (
        log_nothing,
        "postgres.set_setting",
        {"name": "log_min_duration_statement", "value": "1000"},
        "postgres.setting",
        {"name": "log_min_duration_statement"},
        "off",
        True,
        False,
    ),
    "grant": (
        take_permission,
        "postgres.change",
        {
            "sql": "INSERT INTO {user_permission} (user_id, permission_name) "
            "SELECT id, 'grades:read' FROM {user} WHERE email = :email",
            "preview": "SELECT id, email FROM {user} WHERE email = :email",
            "values": {"email": FIRST},
        },
        "postgres.select",
        {"sql": f"SELECT count(*) AS n {PERMISSIONS}", "values": {"email": FIRST}, "facts": {"n": "number"}},
        "n",
        0,
        1,
    ),
    "delete key": (
        keep_old,
        "cache.delete_key",
        {"key": "grades:student:7"},
        "cache.key",
        {"key": CACHED["key"]},
        "present",
        True,
        False,
    ),
    "flush": (fill, "cache.flush", {}, "cache.memory", {}, "full", True, False),
    "memory": (fill, "cache.set_maxmemory", {"factor": 2}, "cache.memory", {}, "full", True, False),
}


async def written(_kind: str, _details: object) -> None: ...


async def facts(system: System, name: str, parameters: dict[str, Any]) -> dict[str, object]:
    check = find_check(name)
    assert check is not None
    readings = Readings(system)
    outcome = await run_check(CheckCall(name, check.parameters.model_validate(parameters)), readings)
    readings.close()
    return dict(outcome.facts)


@pytest.mark.parametrize("case", CASES)
async def test_the_fix_mends_what_was_wrong(case: str, sms: SystemConfig, clock: Clock) -> None:
    break_it, fix_name, fix_with, check, check_with, fact, before, after = CASES[case]
    wanted = {ATTENDANCE: IndexConfig(table="attendance", columns=("student_id", "attendance_date"))}
    world = simulated_world(sms.model_copy(update={"indexes": wanted}), clock=clock)
    world.schedule(300, break_it)
    config = world.config
    assert config.postgres is not None
    assert config.redis is not None
    system = System(
        config,
        host=SimulatedHost(world),
        database=SimulatedDatabase(world, config.postgres, key="systems.sms.postgres"),
        cache=SimulatedCache(world, config.redis, key="systems.sms.redis"),
        clock=clock,
        pause=clock.pause,
    )
    await world.settle()
    assert (await facts(system, check, check_with))[fact] == before
    kind = action(fix_name)
    fix = Fix("mend", "Mend it", kind.risk, fix_name, kind.parameters.model_validate(fix_with), None, "", "")
    preview = await preview_fix(system, fix)
    assert preview.can_apply, preview
    applied = await apply_fix(system, fix, preview, written)
    assert applied.done, applied
    clock.passes(1)
    assert (await facts(system, check, check_with))[fact] == after
    await system.aclose()
