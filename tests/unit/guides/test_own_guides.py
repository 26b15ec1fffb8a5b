"""A team's own guides: a folder that the configuration names, loaded beside the shipped ones."""

from pathlib import Path

import pytest
from guide_stack import Stack, clock

from console.cli import run
from console.config import SystemConfig, load_config
from console.guides.check import check
from console.guides.lint import lint
from console.guides.loader import guide_name, issue_files, load_issues, read_guides
from console.problem import Problem, Problems

ISSUE = """\
id: ours.x1
title: The proxy does not run
severity: high
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
  proxy-down: {summary: The proxy does not run.}
"""

CONFIG = """\
[systems.sms]
title = "Student Management System"
environment = "lab"
guides = ["sms", "./guides/ours"]
[systems.sms.roles]
backend = "sms-backend"
database = "sms-postgres"
cache = "sms-redis"
proxy = "sms-frontend-proxy"
[systems.sms.engine]
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The folder of the guide `ours`, with one issue, named in a configuration beside it."""
    folder = tmp_path / "guides" / "ours"
    folder.mkdir(parents=True)
    (folder / "x1-proxy.yaml").write_text(ISSUE)
    (tmp_path / "config.toml").write_text(CONFIG)
    return folder


def config_of(own: Path) -> SystemConfig:
    return load_config(own.parents[1] / "config.toml").config.system("sms")


def test_a_folder_is_found_beside_the_file_that_names_it(own: Path) -> None:
    config = config_of(own)
    assert config.guides == ("sms", str(own))
    assert guide_name(config.guides[1]) == "ours"
    ids = [issue.id for issue in read_guides(config.guides).issues]
    assert "ours.x1" in ids
    assert "sms.c2" in ids


async def test_its_issues_are_walked_by_id_and_by_chord(own: Path) -> None:
    system = Stack().system
    system.config = config_of(own).model_copy(update={"environment": system.config.environment})
    for name in ("ours.x1", "x1"):
        result = await check(system, [name], clock=clock)
        assert [(item["issue"], item["outcome"]) for item in result["results"]] == [("ours.x1", "clear")]


def test_a_broken_file_takes_no_other_issue_away(own: Path) -> None:
    (own / "x2-broken.yaml").write_text("id: ours.x2\ntitle: [\n")
    config = config_of(own)

    guides = read_guides(config.guides)

    assert {"ours.x1", "sms.c1"} <= {issue.id for issue in guides.issues}
    assert [(Path(item.file).name, item.line) for item in guides.problems] == [("x2-broken.yaml", 3)]
    assert load_issues(config.guides, ("x1",))
    with pytest.raises(Problems, match=r"x2-broken\.yaml:3:"):
        load_issues(config.guides, ("x2",))


async def test_check_warns_of_a_broken_file_and_refuses_only_when_it_is_asked_for(own: Path) -> None:
    (own / "x2-broken.yaml").write_text("id: ours.x2\ntitle: [\n")
    system = Stack().system
    system.config = config_of(own)
    warned: list[Problem] = []

    result = await check(system, clock=clock, warn=warned.append)

    assert "ours.x1" in [item["issue"] for item in result["results"]]
    assert [Path(item.file).name for item in warned] == ["x2-broken.yaml"]
    with pytest.raises(Problems):
        await check(system, ["ours.x2"], clock=clock)


def test_the_command_line_lists_them_and_tells_what_is_left_out(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (own / "x2-broken.yaml").write_text("id: ours.x2\ntitle: [\n")
    config = str(own.parents[1] / "config.toml")

    assert run(["issues", "--config", config]) == 0

    told = capsys.readouterr()
    assert "The proxy does not run" in told.out
    assert f"warning: not loaded: {own}/x2-broken.yaml:3:" in told.err
    assert run(["check", "x2", "--config", config]) == 2
    assert run(["guide", "render", "nosuch", "--config", config]) == 2
    (own / "x2-broken.yaml").unlink()
    assert run(["guide", "render", "ours", "--config", config]) == 0
    assert "The proxy does not run" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("c1-own.yaml", "the chord c1 of ours.c1 is that of sms.c1 already"),
        ("c10-own.yaml", "the chord c10 of ours.c10 clashes with sms.c1. c1 opens its issue before c10 is typed."),
        ("q1-own.yaml", "the chord q1 of ours.q1 begins with a key of the issue picker. Choose another letter than q."),
    ],
)
def test_a_chord_that_could_not_be_typed_is_told_and_the_shipped_issue_stays(own: Path, file: str, told: str) -> None:
    chord = file.partition("-")[0]
    (own / file).write_text("# ours\n" + ISSUE.replace("ours.x1", f"ours.{chord}"))
    config = own.parents[1] / "config.toml"

    guides = read_guides(config_of(own).guides)

    assert [str(item) for item in guides.problems] == [f"{own / file}:2:5: {told}"] or told in str(guides.problems[0])
    assert "sms.c1" in {issue.id for issue in guides.issues}
    for paths in ((), (own,)):
        found = [item for item in lint(paths, config) if Path(item.file).name == file]
        assert [(item.line, item.column) for item in found] == [(2, 5)]
        assert told.partition(". ")[0] in found[0].message


@pytest.mark.parametrize(
    ("guides", "told"),
    [
        ('["sms", "./My Guides"]', "'./My Guides' is no guide"),
        ('["sms", "./guides/sms"]', "two guides are called 'sms'"),
        ('["sms", "sms"]', "two guides are called 'sms'"),
    ],
)
def test_a_guide_without_a_name_of_its_own_is_an_error_of_the_configuration(own: Path, guides: str, told: str) -> None:
    path = own.parents[1] / "config.toml"
    path.write_text(CONFIG.replace('["sms", "./guides/ours"]', guides))
    with pytest.raises(Problems) as caught:
        load_config(path)
    assert f"{path}:4:" in str(caught.value)
    assert told in str(caught.value)


def test_a_folder_that_is_not_there_is_told_and_the_others_are_loaded(own: Path) -> None:
    path = own.parents[1] / "config.toml"
    path.write_text(CONFIG.replace("./guides/ours", "./guides/gone"))
    guides = read_guides(load_config(path).config.system("sms").guides)
    assert [item.message for item in guides.problems] == ["the guide 'gone' cannot be read: No such file or directory"]
    assert "sms.c1" in {issue.id for issue in guides.issues}
    assert any("gone" in item.file for item in lint((), path))


def test_other_files_in_the_folder_do_no_harm(own: Path) -> None:
    (own / "README.md").write_text("# Ours")
    (own / ".x3-swap.yaml").write_text("\0")
    (own / "sub.yaml").mkdir()
    (own / "x4-wrong.yml").write_text(ISSUE)
    assert list(issue_files((str(own),))) == ["ours.sub", "ours.x1"]
    problems = read_guides((str(own),)).problems
    assert {Path(item.file).name for item in problems} == {"sub.yaml", "x4-wrong.yml"}
