"""What was given once in an incident, so that no walk of it asks again."""


class IncidentInputs(dict[str, str]):
    """Values of inputs by name, shared by all walks of a running console; `clear` when another incident begins.

    Secrets never come here: each walk keeps its own, until it ends.
    """

    def told(self, names: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A line for each value, then for each of `names`, the secrets that a walk holds."""
        width = max(map(len, (*self, *names)), default=0)
        lines = [f"{name:<{width}}  {value}" for name, value in self.items()]
        return (*lines, *(f"{name:<{width}}  a secret: never shown, forgotten when this walk ends" for name in names))
