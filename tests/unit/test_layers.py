"""The house's rules hold at run time too: what is not wanted is not imported."""

import subprocess
import sys

import pytest

DRIVERS = (
    "docker",
    "psycopg",
    "redis",
    "httpx",
    "prometheus_api_client",
    "requests",
    "psutil",
    "cryptography",
    "dns",
    "aiosmtplib",
    "puresnmp",
    "jwt",
)


def modules_after(statement: str) -> set[str]:
    script = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()} | set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import console.cli",
        "import console.guides.check, console.guides.check_text, console.guides.lint",
        "import console.doctor",
        "from console.config import load_config, shipped_config; from console.system import live_system; "
        "live_system(load_config(shipped_config()).config.system('sms'))",
    ],
)
def test_the_console_needs_no_screen_and_no_driver_until_one_is_asked(statement: str) -> None:
    loaded = modules_after(statement)
    assert not loaded & {"textual", "rich", "screens", "widgets"}
    assert not loaded & set(DRIVERS)


def test_the_screens_need_no_driver_at_start() -> None:
    loaded = modules_after("import screens.app")
    assert not loaded & set(DRIVERS)


def test_widgets_do_not_know_screens() -> None:
    script = """import importlib, pkgutil, widgets
for module in pkgutil.iter_modules(widgets.__path__):
    importlib.import_module("widgets." + module.name)"""
    assert "screens" not in modules_after(script)


def test_the_simulated_stacks_know_no_guide() -> None:
    script = """import importlib, pkgutil, console.practice.simulated as stacks
for module in pkgutil.walk_packages(stacks.__path__, stacks.__name__ + "."):
    importlib.import_module(module.name)"""
    loaded = modules_after(script)
    assert not [name for name in loaded if name.startswith(("console.guides", "console.incidents"))]
    assert "console.practice.simulated.blueprints.sovd" in loaded
    assert not loaded & {*DRIVERS, "duckdb", "cryptography"}


def test_guides_know_no_practice() -> None:
    script = """import importlib, pkgutil, console.guides as guides
for module in pkgutil.walk_packages(guides.__path__, guides.__name__ + "."):
    importlib.import_module(module.name)"""
    assert not [name for name in modules_after(script) if name.startswith("console.practice")]


HIDDEN = {f"console.practice.drill.{name}" for name in ("truths", "scenarios", "referee")}


def test_a_trainees_screens_know_no_truth() -> None:
    script = """import importlib, pkgutil, screens, widgets
for package in (screens, widgets):
    for module in pkgutil.iter_modules(package.__path__):
        if module.name != "facilitate":
            importlib.import_module(f"{package.__name__}.{module.name}")"""
    assert not modules_after(script) & HIDDEN


def test_every_start_reads_the_drills_options_and_nothing_more_of_them() -> None:
    loaded = {name for name in modules_after("import console.cli") if name.startswith("console.practice.")}
    drill = {f"console.practice.drill.{name}" for name in ("options", "heal", "rounds")}
    assert loaded == {"console.practice.drill", *drill}
