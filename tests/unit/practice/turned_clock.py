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
