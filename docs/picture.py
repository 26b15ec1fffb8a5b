"""Takes the picture of the README from a real run: the console on the lab at 200x50, once every pane holds live data."""

import asyncio
import sys
from pathlib import Path

from console.config import load_config, shipped_config
from console.system import live_system
from screens.app import TriageApp
from widgets.pane import Pane

WARM_UP_S = 8.0
"""So long the rates and the container's usage need for their second sample, after the first answers."""
PATIENCE_S = 30.0


async def take(path: Path) -> None:
    """Write the picture to `path` as SVG; raises TimeoutError when a pane stays empty."""
    app = TriageApp(live_system(load_config(shipped_config()).config.system("sms")))
    async with app.run_test(size=(200, 50)) as pilot:
        async with asyncio.timeout(PATIENCE_S):
            while any(pane.value is None for pane in app.dashboard.query(Pane)):
                await pilot.pause(0.1)
        await pilot.pause(WARM_UP_S)
        path.write_text(  # noqa: ASYNC240 -- nothing else runs here
            app.export_screenshot(title="Triage"), encoding="utf-8"
        )


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1])))
