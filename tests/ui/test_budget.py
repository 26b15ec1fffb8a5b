"""What the dashboard costs the line: bytes are counted at the driver, on a terminal of 200x50 in true colour."""

import asyncio
from dataclasses import replace

import pytest

from console.sources.protocols.engine import Containers
from screens.app import TriageApp
from tests.ui import fakes
from tests.ui.emitted import record_what_is_sent, sent_by
from tests.ui.opened import filled, pane, press, until
from widgets.pane import Pane

HOSTILE = "\x1b]0;owned\x07\x1b[31m[red]\x9b2J[/nonsense] \u202e"


@pytest.fixture(autouse=True)
def _recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    record_what_is_sent(monkeypatch)


def ticking(number: int) -> Containers:
    """The containers with figures that all differ from the time before."""
    found = fakes.containers()
    usage = {
        key: replace(value, cpu_percent=10.1 + 0.3 * number, memory_used_bytes=(100 + number) * fakes.MIB)
        for key, value in found.usage.items()
    }
    return Containers(found.items, usage)


async def test_an_idle_dashboard_sends_less_than_a_kibibyte_a_second() -> None:
    app = TriageApp(fakes.system(), clock=lambda: fakes.NOW)
    async with app.run_test(size=(200, 50)):
        await until(lambda: filled(app))
        await asyncio.sleep(0.5)
        before = len(sent_by(app).encode())
        await asyncio.sleep(4)
        spent = len(sent_by(app).encode()) - before
    assert spent < 4 * 1024


async def test_figures_that_tick_cost_their_own_cells_and_no_more() -> None:
    app = TriageApp(fakes.system(), clock=lambda: fakes.NOW)
    async with app.run_test(size=(200, 50)) as pilot:
        await until(lambda: filled(app))
        await pilot.pause()
        table = pane(pilot, "containers")
        assert table.reading is not None
        await asyncio.sleep(0.2)
        spent = []
        for number in range(6):
            before = len(sent_by(app).encode())
            table.reading = replace(table.reading, value=ticking(number))
            await pilot.pause()
            await asyncio.sleep(0.1)
            spent.append(len(sent_by(app).encode()) - before)
    # Four running containers, three figures each: about 30 bytes a figure, the whole pane would be over 8,000.
    assert max(spent[1:]) < 1_000


async def test_nothing_that_came_from_outside_is_obeyed_by_the_terminal() -> None:
    """The sources clean what they read; the panes must not undo it: markup stays text, and no pane breaks on it."""
    from console.text import clean

    nasty = clean(HOSTILE)
    items = tuple(
        replace(item, name=f"{nasty}{number}", image=nasty, error=nasty, health_output=nasty)
        for number, item in enumerate(fakes.containers().items)
    )
    sessions = tuple(replace(item, query=nasty, user=nasty) for item in fakes.activity().sessions)
    info = replace(fakes.cache_info(), slow_log=tuple(replace(entry, command=nasty) for entry in fakes.cache_info().slow_log))
    latency = replace(
        fakes.latency(), endpoints=tuple(replace(item, endpoint=nasty) for item in fakes.latency().endpoints), notes=(nasty,)
    )
    app = TriageApp(
        fakes.system(
            engine=fakes.FakeEngine(containers=Containers(items)),
            database=fakes.Fake(activity=replace(fakes.activity(), sessions=sessions)),
            cache=fakes.Fake(info=info),
            metrics=fakes.Fake(latency=latency),
        ),
        clock=lambda: fakes.NOW,
    )
    async with app.run_test(size=(200, 50)) as pilot:
        await until(lambda: all(shown.value is not None for shown in app.dashboard.query(Pane)))
        await press(pilot, "enter")
        await press(pilot, "escape", "slash", "[", "enter")
        sent = sent_by(app)
    assert "[red]" in sent
    assert "owned" not in sent
    assert "\x1b[2J" not in sent.split("\x1b[?1049h")[-1][200:]
    assert "\x9b" not in sent
    assert "\u202e" not in sent
