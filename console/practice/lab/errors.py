"""The errors that leave the lab."""


class LabError(Exception):
    """Something about the lab could not be done: what, to what and why, then what to do next."""

    def __init__(self, message: str, advice: str = "") -> None:
        self.message = message
        self.advice = advice
        super().__init__(f"{message} {advice}".strip())


class NotInLab(LabError):
    """The lab has no such container: it was never made, or somebody removed it."""
