"""A clock that the test turns."""

NOON = 1_795_694_400.0


class Clock:
    """Stands still until it is told how many seconds have passed."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += seconds

    async def pause(self, seconds: float) -> None:
        """What `System.pause` is on a stack that lives by this clock: no real time passes."""
        self.passes(seconds)
