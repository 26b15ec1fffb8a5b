"""Tests on a real container engine: skipped with the reason where there is none, unless one is required."""

import fcntl
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import pytest

from console.config import SystemConfig, load_config, shipped_config
from console.practice.lab.engine import connect
from console.practice.lab.errors import LabError
from console.practice.lab.injection import Injection
from console.practice.lab.plan import lab_plan
from console.practice.lab.stack import Lab
from console.state import private_dir

REQUIRED = "TRIAGE_REQUIRE_ENGINE"


@cache
def _why_no_engine() -> str:
    """Empty when the engine answers."""
    config = _shipped_system().engine
    assert config is not None
    try:
        connect(config, timeout_s=10).close()
    except LabError as error:
        return str(error)
    return ""


def _shipped_system() -> SystemConfig:
    return load_config(shipped_config()).config.systems["sms"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests on the lab go to one worker, in order: there is one lab."""
    for item in items:
        if item.get_closest_marker("engine"):
            item.add_marker(pytest.mark.xdist_group("lab"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("engine") and _why_no_engine():
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"{REQUIRED}=1, and {_why_no_engine()}", pytrace=False)
        pytest.skip(_why_no_engine())


@pytest.fixture(scope="session")
def _labs() -> Iterator[Callable[[str], Lab]]:
    """The lab of a system, brought up at its first use; removed at the end unless it was there before the tests."""
    held: dict[str, Lab] = {}
    with ExitStack() as stack:

        def lab_of(name: str) -> Lab:
            if name not in held:
                held[name] = stack.enter_context(_held(name))
            return held[name]

        yield lab_of


@contextmanager
def _held(name: str) -> Iterator[Lab]:
    system = load_config(shipped_config()).config.systems[name]
    assert system.engine is not None
    lab = Lab(lab_plan(name, system), system.engine, lambda line: print(line, file=sys.stderr))
    with (private_dir(lab.folder) / "tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Two test runs on one lab would break each other's faults.
        was_there = lab.client.api.containers(all=True, filters={"label": f"triage.lab={name}"})
        _undo_all(lab)
        lab.up()
        yield lab
        _undo_all(lab)
        if was_there:
            lab.up()
        else:
            lab.down()
        lab.close()


@contextmanager
def _unharmed(lab: Lab) -> Iterator[Lab]:
    """A lab without faults and as it was made before a test, and without faults after it."""
    _undo_all(lab)
    lab.up()
    yield lab
    _undo_all(lab)


@pytest.fixture
def lab(_labs: Callable[[str], Lab]) -> Iterator[Lab]:
    """The lab of the student management system."""
    with _unharmed(_labs("sms")) as found:
        yield found


@pytest.fixture
def lab_of(_labs: Callable[[str], Lab]) -> Iterator[Callable[[str], Lab]]:
    """The lab of any system, by name."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(_unharmed(_labs(name)))


def _undo_all(lab: Lab) -> None:
    injection = Injection(lab, print)
    if injection.open():
        injection.undo_all()


@pytest.fixture
def triage_config(lab: Lab, tmp_path: Path) -> Path:
    """A config.toml whose system sms is the lab, its password found although the test's home is another one."""
    text = shipped_config().read_text(encoding="utf-8").replace("$TRIAGE_STATE/lab/sms", str(lab.folder))
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path
