"""Each chord of each system opens the walk of its issue, typed as a person types it; no two of a system clash."""

import pytest

from console.config import load_config, shipped_config
from console.guides.loader import load_issues
from console.practice.simulated.system import simulated_system
from screens.app import TriageApp
from screens.picker import PickerScreen
from screens.walk import WalkScreen
from tests.ui.opened import settled, until
from tests.ui.practice import PATIENCE_S, Clock

CONFIG = load_config(shipped_config()).config
SYSTEMS = {name: load_issues(system.guides) for name, system in CONFIG.systems.items()}


@pytest.mark.parametrize("name", SYSTEMS)
async def test_every_chord_of_a_system_opens_its_walk(name: str) -> None:
    clock = Clock()
    app = TriageApp(simulated_system(CONFIG.system(name), clock=clock), clock=clock)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        for issue in SYSTEMS[name]:
            await pilot.press("g", *issue.chord)
            await until(lambda: isinstance(app.screen, WalkScreen), PATIENCE_S)
            assert isinstance(app.screen, WalkScreen)
            assert app.screen.issue.id == issue.id
            await pilot.press("escape")
            await until(lambda: not isinstance(app.screen, WalkScreen | PickerScreen), PATIENCE_S)


def test_there_are_fifty_two_chords_and_none_stands_for_two_issues_of_a_system() -> None:
    assert sum(len(issues) for issues in SYSTEMS.values()) == 52
    for name, issues in SYSTEMS.items():
        assert len({issue.chord for issue in issues}) == len(issues), name
