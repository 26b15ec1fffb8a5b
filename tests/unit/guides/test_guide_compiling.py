"""Loading an issue: every error in one go, each with its place and how to mend it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from console.guides.compiling import compile_issue
from console.guides.issue import Issue, Leaf
from console.guides.loader import issue_files, load_issues
from console.problem import Problems

GOOD = """\
id: demo.c1
title: The database is away
severity: high
escalate: {after: 10m, to: somebody}
start: accepts
steps:
  accepts:
    title: Does it accept connections?
    check: postgres.accepts
    branches:
      - {when: accepting, go: sessions}
      - {when: reason == 'login', cause: refused}
      - {unknown: sessions}
      - {else: escalate}
  sessions:
    title: Is it full?
    check: postgres.sessions
    branches:
      - {when: used_percent >= 90, cause: full}
      - {else: clear}
causes:
  refused: {summary: The login is refused., fixes: [show]}
  full: {summary: It is full., fixes: [end-idle]}
fixes:
  show: {title: Show the login, action: show.login}
  end-idle:
    title: End idle sessions
    risk: R3
    action: postgres.end_sessions
    with: {state: idle, longer_than: 1h}
    verify: {step: sessions, holds: used_percent < 80, for: 5s, within: 30s}
"""


def compiled(text: str, name: str = "c1-demo.yaml") -> Issue:
    return compile_issue(text, Path("demo") / name, "demo")


def problems(text: str, name: str = "c1-demo.yaml") -> list[str]:
    with pytest.raises(Problems) as caught:
        compiled(text, name)
    return [f"{item.line}:{item.column} {item.message} | {item.advice}" for item in caught.value.items]


def test_a_good_issue_compiles() -> None:
    issue = compiled(GOOD)

    assert (issue.id, issue.guide, issue.chord, issue.escalate.after_s) == ("demo.c1", "demo", "c1", 600)
    assert [str(arm) for arm in issue.steps["accepts"].arms] == [
        "accepting → sessions",
        "reason == 'login' → refused",
        "unknown → sessions",
        "else → escalate",
    ]
    assert issue.steps["sessions"].arms[1].goal.kind is Leaf.CLEAR
    assert issue.fixes["end-idle"].verify is not None
    assert [fix.id for fix in issue.fixes_of("full")] == ["end-idle"]


Change = Callable[[str], str]


def swap(old: str, new: str) -> Change:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (swap("severity: high", "severity: awful"), "3:11 severity: input should be 'critical', 'high', 'medium' or 'low'"),
        (swap("severity: high\n", ""), "1:1 severity: is missing"),
        (swap("title: The", "titel: The"), "2:1 titel: there is no such key | Did you mean title?"),
        (swap("after: 10m", "after: 10"), "4:19 escalate.after: must be a duration such as 10s, 15m or 1h"),
        (swap("id: demo.c1", "id: other.c1"), "1:5 the id begins with 'other', but the folder is 'demo'"),
        (swap("id: demo.c1", "id: demo.c2"), "1:5 the file of demo.c2 must be called c2-….yaml"),
        (swap("start: accepts", "start: accept"), "5:8 there is no step 'accept'"),
        (
            swap("postgres.accepts", "postgres.acepts"),
            "9:12 there is no check 'postgres.acepts' | Did you mean postgres.accepts?",
        ),
        (swap("when: accepting", "when: acceptin"), "11:16 steps.accepts.branches.0.when: unknown name 'acceptin'"),
        (swap("reason == 'login'", "reason == 'logon'"), "12:16 steps.accepts.branches.1.when: reason is never 'logon'"),
        (swap("reason == 'login'", "reason > 5"), "12:16 steps.accepts.branches.1.when: reason has no order"),
        (swap("used_percent >= 90", "used_percent == 'x'"), "19:16 steps.sessions.branches.0.when: used_percent is a number"),
        (swap("used_percent >= 90", "used_percent"), "19:16 steps.sessions.branches.0.when: used_percent is a number, not true"),
        (swap("used_percent >= 90", "used_percent >= 90 or x"), "19:38 steps.sessions.branches.0.when: unknown name 'x'"),
        (swap("go: sessions", "go: session"), "11:31 there is no step or leaf 'session' | Did you mean sessions?"),
        (swap("cause: full", "cause: empty"), "19:43 there is no cause 'empty'"),
        (swap("      - {else: clear}\n", ""), "19:7 the branches have no else"),
        (swap("- {else: clear}", "- {else: clear}\n      - {when: idle > 1, cause: full}"), "20:9 nothing after else"),
        (swap("{else: clear}", "{}"), "20:9 a branch is one of"),
        (swap("{else: clear}", "{else: clear, go: sessions}"), "20:9 a branch is one of"),
        (
            swap("- {else: clear}", "- {when: used_percent > 95, cause: full}\n      - {else: clear}"),
            "20:16 this is never reached: 'used_percent >= 90' above holds whenever it does",
        ),
        (swap("{else: clear}", "{else: accepts}"), "7:3 the walk goes in a circle: accepts → sessions → accepts"),
        (swap("fixes: [show]", "fixes: [shown]"), "22:53 there is no fix 'shown' | Did you mean show?"),
        (swap("fixes: [show]", "fixes: []"), "25:3 no cause offers the fix 'show'"),
        (swap("cause: refused", "cause: full"), "22:3 no branch finds the cause 'refused'"),
        (swap("risk: R3", "risk: R2"), "28:11 postgres.end_sessions is at least R3"),
        (swap("action: postgres.end_sessions", "action: postgres.drop"), "29:13 there is no action 'postgres.drop'"),
        (swap("state: idle", "state: busy"), "30:19 fixes.end-idle.with.state: input should be"),
        (
            swap("state: idle, longer", "stat: idle, longer"),
            "30:12 fixes.end-idle.with.stat: there is no such key | Did you mean state?",
        ),
        (swap("within: 30s", "within: 4s"), "31:73 within must be longer than for"),
        (swap("step: sessions, holds", "step: session, holds"), "31:20 there is no step 'session'"),
        (swap("holds: used_percent < 80", "holds: used < 'x'"), "31:37 fixes.end-idle.verify.holds: used is a number, not 'x'"),
        (swap("title: Is it full?", "title: password=hunter2hunter2"), "16:12 this looks like a password"),
        (swap("title: Is it full?", "title: 5"), "16:12 steps.sessions.title: input should be a valid string"),
    ],
)
def test_an_error_has_its_place(change: Change, expected: str) -> None:
    found = problems(change(GOOD))
    assert any(item.startswith(expected) for item in found), found


def test_an_arm_may_lead_to_a_leaf() -> None:
    issue = compiled(GOOD.replace("{when: accepting, go: sessions}", "{when: accepting, go: clear}"))

    assert issue.steps["accepts"].arms[0].goal.kind is Leaf.CLEAR


def test_a_change_without_verify_is_refused() -> None:
    text = "".join(line for line in GOOD.splitlines(keepends=True) if "verify" not in line)

    assert problems(text) == ["26:3 end-idle: there is no verify | Say which step's check must hold after it."]


def test_all_errors_come_in_one_go() -> None:
    text = GOOD.replace("severity: high", "severity: awful").replace("when: accepting", "when: acceptin").replace("R3", "R1")

    assert [item.split(" ")[0] for item in problems(text)] == ["3:11", "11:16", "28:11"]


def test_an_unreachable_step_is_refused() -> None:
    text = GOOD.replace("{when: accepting, go: sessions}", "{when: accepting, go: clear}").replace(
        "      - {unknown: sessions}\n", ""
    )

    assert any(item.startswith("14:3 no way leads to the step 'sessions'") for item in problems(text)), problems(text)


@pytest.mark.parametrize(
    "text", ["5\n", "[]\n", "text\n", "steps: 5\n", "steps: {a: 5}\nfixes: [1]\ncauses: x\n", "steps: {a: {branches: 7}}\n"]
)
def test_another_shape_is_told_and_never_a_traceback(text: str) -> None:
    assert problems(text)


def test_the_critical_issues_of_sms_tell_all_their_causes_apart() -> None:
    issues = load_issues(("sms",), ("c1", "c2", "c3"))

    assert {issue.id: set(issue.causes) for issue in issues} == {
        "sms.c1": {
            "engine-down",
            "container-down",
            "container-unhealthy",
            "backend-cannot-reach-database",
            "disk-nearly-full",
            "port-conflict",
        },
        "sms.c2": {"database-down", "pool-exhausted", "disk-full", "corrupted", "login-refused"},
        "sms.c3": {"out-of-memory", "missing-dependency", "migration-failed", "unhandled-exception"},
    }


def test_only_the_issues_asked_for_are_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "c1-demo.yaml").write_text(GOOD)
    (folder / "c2-broken.yaml").write_text("broken: [")

    assert [issue.id for issue in load_issues(("demo",), ("c1",), tmp_path)] == ["demo.c1"]
    assert list(issue_files(("demo", "none"), tmp_path)) == ["demo.c1", "demo.c2"]
    with pytest.raises(Problems):
        load_issues(("demo",), (), tmp_path)
    with pytest.raises(KeyError, match=r"Did you mean demo\.c1"):
        load_issues(("demo",), ("demo.c11",), tmp_path)
