"""Running the console in a test: opened, every pane filled, nothing waited for longer than needed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual._context import visible_screen_stack
from textual.app import App
from textual.events import Key
from textual.pilot import Pilot

from console.system import System
from screens.app import TriageApp
from tests.ui import fakes
from widgets.log_pane import LogPane
from widgets.pane import Pane
from widgets.sheet import Sheet


@asynccontextmanager
async def console(
    system: System | None = None, size: tuple[int, int] = (200, 50), *, write: bool = False
) -> AsyncIterator[Pilot[None]]:
    """The console on a system of fakes, with a clock that stands still; every pane has answered or failed."""
    app = TriageApp(system or fakes.system(), write=write, clock=lambda: fakes.NOW)
    async with app.run_test(size=size) as pilot:
        await until(lambda: filled(app))
        await settled(pilot)
        yield pilot


def filled(app: TriageApp) -> bool:
    """Whether every pane has answered or failed, and the log's lines carry their chords."""
    logs = app.dashboard.query(LogPane)
    if not logs or app.dashboard.asking:
        return False
    written = bool(len(logs.first().store))
    return bool(logs.first().failure) or (written and logs.first().view.chord_of is not None)


async def until(holds: Callable[[], object], within_s: float = 30.0) -> None:
    """Wait until something holds; fails when it does not within the bound."""
    end = asyncio.get_running_loop().time() + within_s
    while not holds():
        assert asyncio.get_running_loop().time() < end, "it did not come about"
        await asyncio.sleep(0.01)


async def settled(pilot: Pilot[None]) -> None:
    """Wait until every message is handled and the screen is painted."""
    for _ in range(3):
        await pilot.pause()


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await settled(pilot)


def type_keys(app: App[None], text: str) -> None:
    """Keys as a fast typist's terminal sends them: all at once, nobody waits in between."""
    driver = app._driver
    assert driver is not None
    for character in text:
        driver.process_message(Key("slash" if character == "/" else character, character))


def app_of(pilot: Pilot[None]) -> TriageApp:
    assert isinstance(pilot.app, TriageApp)
    return pilot.app


def pane(pilot: Pilot[None], id_: str) -> Pane:
    return app_of(pilot).dashboard.query_one(f"#{id_}", Pane)


def text(sheet: Sheet) -> str:
    """What a sheet shows, line by line."""
    return "\n".join(line.text.rstrip() for line in sheet.lines)


def screen_text(pilot: Pilot[None]) -> str:
    """Everything that is on the screen, with what is seen of those below."""
    # Painted outside of the app's own update, a translucent screen has to be told what lies below it: else it keeps a blank.
    visible_screen_stack.set(pilot.app._background_screens)
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)
