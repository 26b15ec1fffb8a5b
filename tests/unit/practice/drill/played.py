"""A round as its three logs would tell it, for what grades it and looks back at it."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from console.guides.checks.containers import NoParameters
from console.guides.conditions import parse
from console.guides.issue import CheckCall, Issue, Severity
from console.guides.loader import load_issues
from console.practice.drill.grade import Grade, grade
from console.practice.drill.rounds import Round, new_round
from console.practice.drill.scenario import PlannedFault, Probe, Scenario, StackKind, Truth

BEGAN = 1_795_694_400.0
POOL = "sms.c2.pool-exhausted"
LOGS_IN = Probe(
    "logs-in", "A user can log in to the database", CheckCall("postgres.sessions", NoParameters()), parse("used_percent < 80")
)
SCENARIO = Scenario(
    id="sms-monday-morning",
    title="Monday, half past eight: nobody gets in",
    system="sms",
    stack=StackKind.EITHER,
    severity=Severity.CRITICAL,
    respond_s=300.0,
    brief="The help desk has four calls waiting.",
    faults=(PlannedFault(POOL),),
    noise=(),
    reports=(),
    hints=("Look at the stores.", "Look at PostgreSQL.", "Something holds what others need."),
)
TRUTH = Truth(
    id=SCENARIO.id,
    causes=(POOL,),
    accepted={"sms.c1.database-down": POOL},
    probes=(LOGS_IN,),
    keep_tables=("users", "grades"),
    mending=("sms.c2.restart-backend",),
    debrief="The sessions were idle, and nobody gave them back.",
)


@cache
def issues() -> tuple[Issue, ...]:
    return load_issues(("sms", "smsops"))


@dataclass
class Played:
    """Logs that grow by what is said to have happened, in seconds since the round began."""

    public: list[dict[str, Any]] = field(default_factory=list)
    trainee: list[dict[str, Any]] = field(default_factory=list)
    referee: list[dict[str, Any]] = field(default_factory=list)
    truth: Truth = TRUTH
    scenario: Scenario = SCENARIO

    def told(self, kind: str, at: float, **details: object) -> "Played":
        self.public.append({"at": BEGAN + at, "kind": kind, **details})
        return self

    def did(self, kind: str, at: float, **details: object) -> "Played":
        self.trainee.append({"at": BEGAN + at, "kind": kind, **details})
        return self

    def knew(self, kind: str, at: float, **details: object) -> "Played":
        self.referee.append({"at": BEGAN + at, "kind": kind, **details})
        return self

    def begins(self) -> "Played":
        self.told("round", -20, round="r", title=self.scenario.title, system="sms", stack="simulated", severity="critical")
        return self.told("began", 0)

    def acknowledges(self, at: float) -> "Played":
        return self.did("acknowledged", at).told("phase", at, phase="detected")

    def diagnoses(self, at: float, *causes: str) -> "Played":
        return self.did("diagnosed", at, causes=list(causes)).told("phase", at, phase="diagnosed")

    def takes_hint(self, at: float, level: int) -> "Played":
        return self.did("hint_wanted", at, level=level).told("hint", at, level=level, text="…")

    def fixes(
        self, at: float, fix: str, *, action: str = "x.y", risk: str = "R2", targets: tuple[str, ...] = (), done: bool = True
    ) -> "Played":
        issue, _, name = fix.rpartition(".")
        named = {"issue": issue, "fix": name} if issue else {"fix": fix}
        self.did("fix_begins", at, **named, action=action, risk=risk, command="…", targets=[{"name": item} for item in targets])
        return self.did("fix_ends", at + 1, **named, done=done, lines=[], failed="" if done else "refused")

    def probed(self, at: float, holds: bool | None, used: float = 97.0, name: str = "logs-in") -> "Played":
        facts = {"used_percent": used}
        return self.knew("probe", at, id=name, holds=holds, facts=facts, expected="used_percent < 80")

    def mends(self, at: float) -> "Played":
        return self.probed(at, True, 12.0).told("phase", at, phase="mitigated")

    def ends(self, at: float, how: str = "done", reason: str = "") -> "Played":
        return self.told("ended", at, how=how, reason=reason)

    def grade(self) -> Grade:
        return grade(self.public, self.trainee, self.referee, self.truth, self.scenario, issues())

    def written(self, folder: Path) -> Round:
        """The folder of this round, as referee and console leave it."""
        made = new_round("sms", folder, now=BEGAN)
        for log, entries in ((made.public(), self.public), (made.trainee(), self.trainee), (made.referee(), self.referee)):
            for entry in entries:
                details = {key: value for key, value in entry.items() if key not in ("at", "kind")}
                log.add(entry["kind"], entry["at"], **details)
        return made


def played_well() -> Played:
    """Everything right and in time."""
    played = Played().begins().probed(0, False).acknowledges(30)
    played.did("step", 60, issue="sms.c2", step="accepts").did("step", 62, issue="sms.c2", step="holders")
    played.diagnoses(90, POOL).fixes(120, "sms.c2.end-idle", action="postgres.end_sessions", risk="R3")
    return played.mends(150).ends(151)


def full_round() -> Played:
    """A round with a detour, a hint, a report, noise, and a secret where none should be."""
    played = Played().begins()
    played.public[0].update(person="Alex", respond_s=300.0, stack="simulated", brief="The help desk has four calls.")
    played.knew(
        "truth", -15, scenario="sms-monday-morning", causes=[POOL], accepted={}, mending=[], debrief="First line.\n\nSecond."
    )
    played.knew("bites", -2, fault=POOL).knew("noise", 5, noise="slow-job").probed(0, False).probed(2, False)
    for second in range(0, 240, 2):
        slow = second < 200
        played.knew("sample", second, p95_ms=2000.0 if slow else 90.0, errors_per_s=None, connections=97 if slow else 12)
        played.referee[-1].update(connections_max=100)
    played.told("report", 10, who="a teacher", text="I can't get in | [help](http://x)").acknowledges(20)
    played.did("opened", 25, what="pane PostgreSQL").did("walk_begins", 40, issue="sms.c1")
    played.did("step", 41, issue="sms.c1", step="containers", branch="running → probe", evidence=["sms-backend runs"])
    played.did("conclusion", 50, issue="sms.c1", verdict="clear", cause=None, summary="…")
    played.takes_hint(60, 1).did("walk_begins", 80, issue="sms.c2")
    played.did("step", 81, issue="sms.c2", step="accepts", branch="else → container", evidence=[])
    played.did("back", 85, issue="sms.c2", step="accepts")
    played.did("step", 90, issue="sms.c2", step="accepts", branch="accepting → sessions", evidence=[])
    played.did("step", 91, issue="sms.c2", step="sessions", branch="used_percent >= 90 → pool-exhausted", evidence=["97 of 100"])
    played.trainee[-1]["evidence"].append("DSN postgres://sms:hunter2hunter2@db/x \x1b[31mred")
    played.did("conclusion", 92, issue="sms.c2", verdict="cause", cause="pool-exhausted", summary="…")
    played.diagnoses(100, POOL).fixes(150, "sms.c2.end-idle", action="postgres.end_sessions", risk="R3")
    played.did("fix_verified", 160, issue="sms.c2", fix="end-idle", held=True, text="…")
    played.fixes(170, "sms.c1.restart-all", action="containers.restart_in_order", risk="R3")
    return played.mends(220).ends(221, "done", "Detected, diagnosed and mitigated.")
