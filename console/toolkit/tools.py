"""The tools by their order on the screen, and what each can be asked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from console.guides.readings import Readings
from console.toolkit import container_tools, log_tools, store_tools
from console.toolkit.table import Table


@dataclass(frozen=True, slots=True)
class Tool:
    """One question. `ask` gets the choice: one of `choices`, or the id when it `takes_id`; empty when there is none."""

    id: str
    title: str
    short: str
    source: str
    """What messages call the one who is asked."""
    ask: Callable[[Readings, str], Awaitable[Table]]
    choices: Callable[[Readings], tuple[str, ...]] = lambda _readings: ()
    first_choice: str = ""
    """The choice to begin with; empty: the first one."""
    takes_id: bool = False


def _windows(_readings: Readings) -> tuple[str, ...]:
    return tuple(log_tools.WINDOWS)


def _alone(ask: Callable[[Readings], Awaitable[Table]]) -> Callable[[Readings, str], Awaitable[Table]]:
    return lambda readings, _choice: ask(readings)


TOOLS = (
    Tool("errors", "Errors by kind", "Errors", "The logs", log_tools.errors_by_kind, _windows, "15m"),
    Tool("window", "Errors one by one", "Each one", "The logs", log_tools.errors_in_window, _windows, "15m"),
    Tool(
        "environment",
        "Environment",
        "Environ.",
        "The environment",
        container_tools.environment,
        container_tools.roles_with_environment,
        "backend",
    ),
    Tool("network", "Network", "Network", "The container engine", _alone(container_tools.network)),
    Tool("trace", "Trace of a request", "Trace", "The logs", log_tools.trace_request, takes_id=True),
    Tool("tables", "Table sizes", "Tables", "PostgreSQL", _alone(store_tools.table_sizes)),
    Tool("statements", "Slow statements", "Slow SQL", "PostgreSQL", _alone(store_tools.slow_statements)),
)
