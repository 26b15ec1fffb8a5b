"""What to do about a failed line, and which issue finds out more: by topic, the first that the system's guides have."""

from collections.abc import Collection

from console.daily.report import Remedy

TOPICS: dict[str, tuple[str, ...]] = {
    "container": ("sms.c1", "smsops.r1", "planner.k1", "sovd.s1", "dotmac.s1"),
    "health": ("smsops.a1", "sms.c1", "planner.n1", "sovd.s5", "dotmac.s1"),
    "slow": ("smsops.a2", "sms.m1", "planner.a3", "dotmac.p1", "sovd.s7"),
    "errors": ("smsops.a3", "sms.m2", "planner.a2", "sovd.s5", "dotmac.p1"),
    "cpu": ("planner.p2", "smsops.a2", "sms.m1", "dotmac.p1", "sovd.s1"),
    "memory": ("smsops.r2", "planner.p1", "dotmac.p2", "sovd.s1"),
    "disk": ("planner.d3", "sms.c1", "dotmac.f1", "sovd.s7"),
    "database": ("sms.c2", "planner.d1", "dotmac.s1", "sovd.s7"),
    "connections": ("sms.c2", "planner.d1", "dotmac.s1", "sovd.s7"),
    "statements": ("smsops.r3", "planner.p3", "dotmac.p1", "sovd.s7"),
    "cache": ("sms.m1", "smsops.a2", "planner.a3", "dotmac.s2", "sovd.s8"),
    "network": ("sms.c1", "planner.n1", "sovd.s5", "dotmac.n1"),
    "damage": ("sms.c2", "planner.d2", "dotmac.s1", "sovd.s7"),
}

P95_HIGH = (
    ("Check the database's connection pool", "connections"),
    ("Review what changed in the queries lately", "statements"),
    ("Check for N+1 queries: calls per request", "slow"),
    ("Verify the cache's hit rate", "cache"),
)
"""When p95 is over its limit: the operations guide's four checks."""

THROUGHPUT_LOW = (
    ("Check for contention: processor, memory, disk", "cpu"),
    ("Review the load: are the users there at all?", "slow"),
    ("Check for locks in the database", "statements"),
    ("Verify the network between users and backend", "network"),
)
"""When there are fewer requests than the limit: the same guide's four checks."""


STEPS: dict[str, tuple[tuple[str, str], ...]] = {
    "containers": (("See why it ended, and bring it up", "container"),),
    "health": (("See which part fails", "health"),),
    "performance": (("The table of baselines says which, and what to do", ""),),
    "p95": P95_HIGH,
    "p99": P95_HIGH,
    "throughput": THROUGHPUT_LOW,
    "errors": (("See which endpoint and which status", "errors"),),
    "cpu": (("See what keeps the processor busy", "cpu"),),
    "memory": (("See what grows, and what its limit is", "memory"),),
    "disk": (("See what takes the room, and what may go", "disk"),),
    "database": (("See why it does not answer", "database"),),
    "connections": (("See who holds the connections", "connections"),),
    "statements": (("See what runs so long, and who waits for it", "statements"),),
    "cache-hit": (("See which statements read from the disk", "statements"),),
    "deadlocks": (("See who waits for whom", "statements"),),
    "tables": (("See whether the data is damaged, and restore a backup", "damage"),),
    "backup": (("Make a backup now (procedures), and see why none was made", "disk"),),
    "backup-size": (("Make a backup now (procedures), and see what is missing", "damage"),),
}
"""What to do about a line that failed, by the line's id: words and topic."""


def issue_for(topic: str, known: Collection[str]) -> str:
    """The issue of the system's guides that finds out more about a topic; empty when there is none."""
    return next((issue for issue in TOPICS.get(topic, ()) if issue in known), "")


def remedies(steps: Collection[tuple[str, str]], known: Collection[str]) -> tuple[Remedy, ...]:
    """Steps (words, topic) with the issues that this system has."""
    return tuple(Remedy(words, issue_for(topic, known)) for words, topic in steps)
