"""A hundred trees with one thing broken in each: lint never fails itself, and always says where to look."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.guides.lint import lint
from console.guides.loader import LIBRARY
from console.guides.yaml_lines import read

SHIPPED = sorted(LIBRARY.rglob("*.yaml"))
Place = tuple[str | int, ...]

MUST_BE_TOLD = ("rename", "duplicate", "unknown step", "truncate", "binary", "unclosed", "second", "retype", "empty", "alias")
MAY_BE_TOLD = ("drop", "swap")
"""What is left without a symptom, or with two texts in each other's place, can still be a good tree."""


def _tree(path: Path) -> Any:
    """The issue as plain lists and dicts, which can be changed."""
    return json.loads(json.dumps(read(path.read_bytes(), str(path)).value))


def _keys(value: Any, where: Place = ()) -> Iterator[Place]:
    """Every key of every mapping."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if isinstance(value, dict):
            yield (*where, key)
        yield from _keys(item, (*where, key))


def _at(tree: Any, where: Place) -> Any:
    for key in where:
        tree = tree[key]
    return tree


def _mutated(kind: str, path: Path, chance: random.Random) -> bytes:
    tree, raw = _tree(path), path.read_bytes()
    # Below `with` and in `values` and `answers` the author may choose the names.
    places = [where for where in _keys(tree) if "with" not in where[:-1]]
    where = chance.choice(places)
    around = _at(tree, where[:-1])
    match kind:
        case "drop":
            del around[where[-1]]
        case "swap":
            other = chance.choice([key for key in around if isinstance(around[key], type(around[where[-1]]))])
            around[where[-1]], around[other] = around[other], around[where[-1]]
        case "rename":
            around[f"{where[-1]}zz"] = around.pop(where[-1])
        case "retype":
            around[where[-1]] = [{"zz": [around[where[-1]]]}]
        case "unknown step":
            tree["start"] = "nowhere"
        case "duplicate":
            lines = json.dumps(tree, indent=1, ensure_ascii=False).splitlines(keepends=True)
            at = chance.choice([number for number, text in enumerate(lines) if text.rstrip().endswith('",')])
            single = [number for number in (at,) if '": "' in lines[number]] or [1]
            return "".join([*lines[: single[0]], lines[single[0]], *lines[single[0] :]]).encode()
        case "truncate":
            return raw[: chance.randrange(1, len(raw) * 2 // 3)] + b"\n  zz"
        case "binary":
            at = chance.randrange(len(raw))
            return raw[:at] + bytes([chance.choice([0, 1, 7, 27, 128, 192, 255])]) + raw[at:]
        case "unclosed":
            return raw + chance.choice([b"zz: [1, 2\n", b"zz: {a: 1\n", b"zz: 'text\n", b'zz: "\\q"\n'])
        case "second":
            return raw + b"---\nid: x\n"
        case "alias":
            return raw + chance.choice([b"zz: *a\n", b"zz: &a 1\n", b"zz: !!python/none 1\n", b"<<: 1\n"])
        case "empty":
            return chance.choice([b"", b"\n\n", b"# nothing\n", b"[]\n", b"5\n"])
    return json.dumps(tree, indent=1, ensure_ascii=False).encode()


@pytest.mark.parametrize("seed", range(100))
def test_a_mutated_tree_is_told_with_its_line(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    kinds = (*MUST_BE_TOLD, *MAY_BE_TOLD)
    kind, original = kinds[seed % len(kinds)], chance.choice(SHIPPED)
    path = tmp_path / original.parent.name / original.name
    path.parent.mkdir()
    path.write_bytes(_mutated(kind, original, chance))

    found = lint([path])

    lines = path.read_bytes().count(b"\n") + 1
    for item in found:
        assert item.file == str(path)
        assert 1 <= item.line <= lines
        assert item.column >= 1
        assert item.message
    if kind in MUST_BE_TOLD:
        assert [item for item in found if not item.warning], f"{kind} of {original.name} was not told"
