"""How the console looks, picture by picture: a clock that stands still, known answers, no animation."""

import platform
from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from console.reading import FailureKind, SourceError
from console.system import System
from screens.app import TriageApp
from tests.ui import fakes
from tests.ui.opened import filled, settled, until

pytestmark = pytest.mark.skipif(
    platform.python_version_tuple()[:2] != ("3", "11"), reason="pictures are drawn with Python 3.11, others differ in details"
)

Compare = Callable[..., bool]


def opened(*keys: str) -> Callable[[Pilot[Any]], Any]:
    """Wait for every pane, then press the keys."""

    async def before(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, TriageApp)
        await until(lambda: filled(app))
        await settled(pilot)
        await pilot.press(*keys)
        await settled(pilot)

    return before


def app(system: System | None = None) -> TriageApp:
    return TriageApp(system or fakes.system(), clock=lambda: fakes.NOW)


@pytest.mark.parametrize("size", [(200, 50), (160, 45), (80, 24), (40, 10)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_dashboard(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(app(), terminal_size=size, run_before=opened())


@pytest.mark.parametrize("key", ["2", "3", "4", "5"])
def test_a_pane_alone_in_a_small_terminal(snap_compare: Compare, key: str) -> None:
    assert snap_compare(app(), terminal_size=(80, 24), run_before=opened(key))


def test_the_help(snap_compare: Compare) -> None:
    assert snap_compare(app(), terminal_size=(120, 40), run_before=opened("question_mark"))


def test_a_container_in_detail(snap_compare: Compare) -> None:
    assert snap_compare(app(), terminal_size=(120, 40), run_before=opened("enter"))


def test_sources_that_are_gone(snap_compare: Compare) -> None:
    gone = fakes.Fake(
        activity=SourceError(
            FailureKind.LOGIN, "PostgreSQL at 127.0.0.1:5432 refused the login of sms_user.", "Set SMS_DB_PASSWORD."
        ),
        info=SourceError(FailureKind.TIMEOUT, "Redis has not answered for 3 s.", "It may be frozen."),
    )
    system = fakes.system(database=gone, cache=gone, metrics=None)
    assert snap_compare(app(system), terminal_size=(160, 45), run_before=opened())
