"""For simulated stacks: a check is given up late, because a machine that is busy with other tests is no source that is frozen."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from console.guides.checks import check as checks

TIMES = 20.0


def take_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every check has twenty times the time that it has before an operator."""
    make = checks._make

    async def made(check: Any, asked: Callable[[], Coroutine[Any, Any, Any]], limit_s: float) -> Any:
        return await make(check, asked, TIMES * limit_s)

    monkeypatch.setattr(checks, "_make", made)
