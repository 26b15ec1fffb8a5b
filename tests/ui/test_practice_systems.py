"""The console opens on the practice stack of every shipped system, on a small terminal and on a large one."""

import pytest

from console.config import load_config, shipped_config
from console.practice.simulated.system import simulated_system
from screens.app import TriageApp
from tests.ui.opened import press, screen_text, until
from tests.ui.practice import PATIENCE_S, Clock
from widgets.pane import Pane

CONFIG = load_config(shipped_config()).config


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
@pytest.mark.parametrize("name", ["sms", "planner", "dotmac", "sovd"])
async def test_the_console_opens_on_a_practice_system(name: str, size: tuple[int, int]) -> None:
    clock = Clock()
    app = TriageApp(simulated_system(CONFIG.system(name), seed=7, clock=clock), clock=clock)
    async with app.run_test(size=size):
        await until(lambda: bool(app.dashboard.query(Pane)) and not app.dashboard.asking, PATIENCE_S)
        assert [pane.id for pane in app.dashboard.query(Pane) if pane.reading is not None and pane.reading.failure] == []


async def test_a_service_of_a_machine_is_shown_without_what_only_containers_have() -> None:
    clock = Clock()
    app = TriageApp(simulated_system(CONFIG.system("dotmac"), seed=7, clock=clock), clock=clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: bool(app.dashboard.query(Pane)) and not app.dashboard.asking, PATIENCE_S)
        await press(pilot, "enter")
        shown = screen_text(pilot)
        assert "is a            systemd unit" in shown
        assert not any(word in shown for word in ("restart policy", "of one core", "ports", "networks"))
        await press(pilot, "escape", "O")
        assert "UP↑" in screen_text(pilot)
