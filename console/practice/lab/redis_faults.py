"""Faults of Redis that several systems have."""

from typing import Any

from console.practice.lab.fault import LabFault, Notes
from console.practice.lab.spec import MIB, Service
from console.practice.lab.target import Target

FILL = "for i = 1, 4000 do redis.call('set', 'export:' .. i, string.rep('x', 1024)) end return 1"
CLEAR = "for _, key in ipairs(redis.call('keys', 'export:*')) do redis.call('del', key) end return 1"


def cli(target: Target, *words: str) -> str:
    """A command of redis-cli in the cache's container; what it printed."""
    return target.must(Service.CACHE, "redis-cli", *words)


def _usual(target: Target) -> Notes:
    words = {name: cli(target, "config", "get", name).split("\n")[-1] for name in ("maxmemory", "maxmemory-policy")}
    return {"limit": words["maxmemory"], "policy": words["maxmemory-policy"]}


def full(identity: str, title: str, policy: str = "noeviction", **said: Any) -> LabFault:
    """Redis at its limit; with `noeviction` it refuses to write, otherwise it throws keys away all the time."""

    def inject(target: Target, _notes: Notes) -> None:
        cli(target, "eval", FILL, "0")
        used = next(line for line in cli(target, "info", "memory").splitlines() if line.startswith("used_memory:"))
        cli(target, "config", "set", "maxmemory", str(int(used.partition(":")[2]) - MIB // 4))
        cli(target, "config", "set", "maxmemory-policy", policy)

    def bites(target: Target, _notes: Notes) -> bool:
        answer = cli(target, "set", "export:0", "x")
        if policy == "noeviction":
            return "OOM" in answer
        evicted = next(line for line in cli(target, "info", "stats").splitlines() if line.startswith("evicted_keys:"))
        return int(evicted.partition(":")[2]) > 0

    def undo(target: Target, notes: Notes) -> None:
        target.start(Service.CACHE)
        cli(target, "config", "set", "maxmemory", notes["limit"])
        cli(target, "config", "set", "maxmemory-policy", notes["policy"])
        cli(target, "eval", CLEAR, "0")

    return LabFault(identity, title, inject, bites, undo, _usual, **said)
