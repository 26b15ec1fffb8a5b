"""What an operator changes from a pane, on the simulated stack: nothing without arming and confirmation."""

from console.sources.protocols.engine import State
from tests.ui.opened import app_of, pane, press, screen_text, until
from tests.ui.practice import Clock, practice
from widgets.container_table import ContainerTable
from widgets.postgres_pane import PostgresPane


async def test_a_container_is_restarted_from_its_row_after_confirmation() -> None:
    async with practice("healthy", write=True, clock=Clock(pace=20.0)) as pilot:
        table = pane(pilot, "containers")
        assert isinstance(table, ContainerTable)
        chosen = table.selected
        assert chosen is not None
        await press(pilot, "r")
        await until(lambda: "Press y" in screen_text(pilot))
        assert chosen.name in screen_text(pilot)
        engine = app_of(pilot).system.need_engine()
        before = (await engine.container(chosen.name)).started_at
        await press(pilot, "y")

        async def restarted() -> bool:
            now = await engine.container(chosen.name)
            return now.state is State.RUNNING and now.started_at != before

        await until(lambda: app_of(pilot).journal.path is not None, within_s=10)
        for _ in range(500):
            if await restarted():
                break
            await pilot.pause(0.01)
        assert await restarted()


async def test_a_change_is_refused_while_the_console_is_read_only() -> None:
    async with practice("healthy") as pilot:
        engine = app_of(pilot).system.need_engine()
        before = await engine.containers()
        await press(pilot, "t")
        await until(lambda: "▲ Read-only." in screen_text(pilot))
        await press(pilot, "y")
        assert [item.state for item in (await engine.containers()).items] == [item.state for item in before.items]


async def test_a_session_is_ended_by_its_key_after_its_database_was_typed() -> None:
    async with practice("sms.c2.pool-exhausted", write=True, clock=Clock(pace=5.0)) as pilot:
        await press(pilot, "2")
        shown = pane(pilot, "postgres")
        assert isinstance(shown, PostgresPane)
        assert "held by" in screen_text(pilot)
        await press(pilot, "down", "down")
        chosen = shown.selected
        assert chosen is not None
        await press(pilot, "K")
        await until(lambda: f"End session {chosen.pid}" in screen_text(pilot) and "Type" in screen_text(pilot))
        expected = next(word for word in (chosen.database, str(chosen.pid)) if f"Type {word}" in screen_text(pilot))
        await press(pilot, *expected, "enter")
        await until(lambda: all(item.pid != chosen.pid for item in shown.value.sessions), within_s=15)
