"""`triage lint`: the shipped files are clean, wrong ones are told in one list, and no bytes bring a traceback."""

import json
import random
from pathlib import Path

import pytest

from console.guides.editor_schema import TARGET, json_schema
from console.guides.lint import lint
from console.guides.loader import LIBRARY

SHIPPED = sorted(LIBRARY.rglob("*.yaml"))


def test_what_is_shipped_has_nothing_to_mend() -> None:
    assert lint() == []


def test_the_schema_for_editors_is_that_of_the_code() -> None:
    # To renew it: python -m console.guides.editor_schema
    assert json.loads(TARGET.read_text(encoding="utf-8")) == json.loads(json.dumps(json_schema()))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_each_issue_names_the_schema_where_editors_look(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    named = first.removeprefix("# yaml-language-server: $schema=")

    assert (path.parent / named).resolve() == TARGET.resolve()


def test_files_of_all_kinds_are_told_together(tmp_path: Path) -> None:
    guide = tmp_path / "demo"
    guide.mkdir()
    (guide / "c1-x.yaml").write_text("id: demo.c1\n")
    (tmp_path / "config.toml").write_text("[systems\n")

    found = lint([tmp_path, tmp_path / "none.yaml"])

    assert {Path(item.file).name for item in found} == {"c1-x.yaml", "config.toml", "none.yaml"}


def test_two_issues_of_one_chord_are_told(tmp_path: Path) -> None:
    guide = tmp_path / "sms"
    guide.mkdir()
    text = (LIBRARY / "sms" / "c1-outage.yaml").read_text(encoding="utf-8")
    (guide / "c1-one.yaml").write_text(text)
    (guide / "c1-two.yaml").write_text(text)

    assert any("the chord c1" in item.message for item in lint([guide]))


def test_an_input_of_two_kinds_in_one_guide_is_told(tmp_path: Path) -> None:
    guide = tmp_path / "demo"
    guide.mkdir()
    text = """\
id: demo.h1
title: Old
severity: high
escalate: {after: 10m, to: somebody}
inputs: {student: {kind: number, title: Number of the student}}
start: known
steps:
  known:
    title: Is it cached?
    check: cache.key
    with: {key: "grades:${student}"}
    branches:
      - {when: present, go: escalate}
      - {else: clear}
"""
    (guide / "h1-old.yaml").write_text(text)
    (guide / "h2-old.yaml").write_text(text.replace("demo.h1", "demo.h2").replace("kind: number", "kind: word"))

    (found,) = lint([guide])
    assert str(found).startswith(f"{guide}/h2-old.yaml:5:10: inputs.student is a word here, and a number in demo.h1")


def test_an_issue_that_goes_on_at_none_is_told(tmp_path: Path) -> None:
    guide = tmp_path / "sms"
    guide.mkdir()
    for name in ("c1-outage.yaml", "c3-crash-loop.yaml"):
        (guide / name).write_text((LIBRARY / "sms" / name).read_text(encoding="utf-8"))

    told = [item for item in lint([guide]) if "there is no issue" in item.message]
    assert [(Path(item.file).name, item.line > 1) for item in told] == [("c1-outage.yaml", True)]


@pytest.mark.parametrize("seed", range(4))
def test_no_mutation_of_a_guide_brings_a_traceback(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    guide = tmp_path / "sms"
    guide.mkdir()
    for round_ in range(40):
        path = SHIPPED[round_ % len(SHIPPED)]
        data = bytearray(path.read_bytes())
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(data))
            match chance.randrange(4):
                case 0:
                    data[place] = chance.randrange(256)
                case 1:
                    del data[place : place + chance.randrange(1, 60)]
                case 2:
                    data[place:place] = chance.choice([b"\n", b": ", b"- ", b"{", b"]", b"'", b"null", b"&a ", b"\t", b"{{x}}"])
                case _:
                    start = chance.randrange(len(data))
                    data[place:place] = data[start : start + chance.randrange(200)]
        (guide / path.name).write_bytes(bytes(data))
        lint([guide])
