"""Rules of `triage lint` beyond what loading an issue needs: each with its line, and what to do."""

from pathlib import Path

import pytest

from console.cli import run
from console.guides.lint import lint
from console.guides.loader import LIBRARY

GOOD = """\
id: ours.x1
title: The proxy does not run
severity: high
errors:
  - upstream is gone
escalate: {after: 10m, to: the infrastructure team}
start: proxy
steps:
  proxy:
    title: Does the proxy run?
    check: containers.state
    with: {role: proxy}
    branches:
      - {when: not running, cause: proxy-down}
      - {else: clear}
causes:
  proxy-down:
    summary: The proxy does not run.
    fixes: [publish]
fixes:
  publish:
    title: Publish the pages again
    action: containers.run
    with: {role: backend, command: seed}
    way_back: None is needed.
    verify: {step: proxy, holds: running, for: 5s, within: 60s}
"""
"""`{…}` is replaced by the tests."""


@pytest.fixture
def linted(tmp_path: Path) -> "Linted":
    return Linted(tmp_path)


class Linted:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "ours" / "x1-proxy.yaml"
        self.path.parent.mkdir()

    def __call__(self, old: str = "", new: str = "") -> list[tuple[int, int, bool, str]]:
        """Line, column, whether it is only a warning, and the text of what is told of the file with one thing changed."""
        assert old in GOOD
        self.path.write_text(GOOD.replace(old, new, 1))
        found = lint([self.path.parent])
        assert all(item.file == str(self.path) for item in found)
        assert all(item.advice for item in found)
        return [(item.line, item.column, item.warning, item.message) for item in found]


def test_a_good_issue_has_nothing_to_mend(linted: Linted) -> None:
    assert linted() == []


def test_a_tree_that_cannot_fail_is_an_error(linted: Linted) -> None:
    text = GOOD.replace("cause: proxy-down", "go: clear")
    linted.path.write_text(text[: text.index("causes:")])
    told = {(item.line, item.warning, item.message) for item in lint([linted.path.parent])}
    assert told == {
        (8, False, "no arm finds a cause: this issue can only end well"),
        (13, True, "steps.proxy: every arm leads to clear, whatever the check says"),
    }


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "message"),
    [
        ("when: not running", "when: running or not running", 14, 16, "steps.proxy.branches.0: this always holds"),
        (
            "      - {else: clear}",
            "      - {when: running, go: clear}\n      - {else: clear}",
            16,
            16,
            "steps.proxy.branches.2: else is never taken: the arms above hold in every case",
        ),
        ("upstream is gone", "upstream 10.20.30.40 is gone", 5, 5, "'10.20.30.40' names a machine"),
        ("The proxy does not run.", "Look at db1.corp.example.local.", 18, 14, "'db1.corp.example.local' names a machine"),
        ("- upstream is gone", '- "… is …"', 5, 5, "errors.0: '… is …' would be found in every line"),
        ("within: 60s", "within: 1.10", 26, 60, "1.10 would be read as the number 1.1"),
        ("to: the infrastructure team", "to: 'call, password=Tiger2026lily'", 6, 28, "this looks like a password or a key"),
        ("when: not running", "when: health == 5", 14, 16, "steps.proxy.branches.0.when: health is a text in quotes, not 5"),
        ("when: not running", "when: runing", 14, 16, "steps.proxy.branches.0.when: unknown name 'runing'"),
    ],
)
def test_each_rule_tells_its_line(linted: Linted, old: str, new: str, line: int, column: int, message: str) -> None:
    assert (line, column, False, message) in linted(old, new)


def test_what_only_its_author_can_undo_wants_words(linted: Linted) -> None:
    assert linted("    way_back: None is needed.\n") == [(21, 3, True, "fixes.publish: nothing says how to take it back")]


def test_addresses_of_everybody_name_no_machine(linted: Linted) -> None:
    assert linted("upstream is gone", "connecting to 127.0.0.1:5432 of example.com, version 1.2.3, see docker-compose.yml") == []


def test_warnings_alone_end_with_0(linted: Linted, capsys: pytest.CaptureFixture[str]) -> None:
    linted("    way_back: None is needed.\n")
    assert run(["lint", str(linted.path)]) == 0
    assert f"{linted.path}:21:3: warning: fixes.publish" in capsys.readouterr().out
    linted("when: not running", "when: nothing")
    assert run(["lint", str(linted.path)]) == 2


def test_long_ways_and_many_arms_are_warnings(linted: Linted) -> None:
    arms = "".join(f"      - {{when: exit_code == {number}, cause: proxy-down}}\n" for number in (1, 2, 3, 137))
    found = linted(
        "      - {else: clear}\n",
        arms.replace("      - {when: exit_code == 137", "      - {when: exit_code == 9") + "      - {else: clear}\n",
    )
    assert [(line, warning, text) for line, _, warning, text in found] == [(13, True, "steps.proxy has 6 arms")]


def test_the_shipped_guides_have_nothing_but_warnings() -> None:
    assert [str(item) for item in lint([LIBRARY]) if not item.warning] == []
