"""What an app sends to the terminal, byte for byte."""

from typing import Any

import pytest
from textual.app import App
from textual.drivers import headless_driver


class RecordingDriver(headless_driver.HeadlessDriver):
    """A terminal that keeps what it was sent."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.sent = ""

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        self.sent += data


def record_what_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apps that run from now on write to a true-colour terminal that keeps everything."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setattr(headless_driver, "HeadlessDriver", RecordingDriver)


def sent_by(app: App[Any]) -> str:
    """Everything that the app has written so far."""
    assert isinstance(app._driver, RecordingDriver)
    return app._driver.sent
