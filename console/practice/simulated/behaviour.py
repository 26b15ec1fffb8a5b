"""How the service answers: what came of a request, and what is wrong with its code, its files or its environment."""

from dataclasses import dataclass

from console.practice.simulated.traffic import Endpoint


@dataclass(frozen=True, slots=True)
class Complaint:
    """What the backend logs beside an answer. `bare`: without the request that it was answering."""

    text: str
    traceback: tuple[str, ...] = ()
    level: str = "ERROR"
    logger: str = "api"
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answered request; `at` is when the answer was sent."""

    at: float
    endpoint: Endpoint
    status: int
    elapsed_s: float
    why: Complaint | None = None
    client: str = ""
    trace: str = ""
    """The id by which the client named its request."""


@dataclass(slots=True)
class Behaviour:
    """How one path is answered otherwise than usual: slower, or badly for a share of its requests; `client`: only for that
    address. `calls` is how many statements one request makes; `query` is run instead of the usual one, and gives `rows`."""

    extra_s: float = 0.0
    fail_share: float = 0.0
    status: int = 500
    complaint: Complaint | None = None
    calls: float = 1.0
    client: str = ""
    query: str = ""
    rows: float = 12.0
    alone_s: float = 0.0
    """What is not in the cache is computed for so long, one request after the other."""
    until_restart: bool = False
    """It is the running process that is ill, not its code."""


@dataclass(slots=True)
class Defects:
    """What is wrong with the container's files or environment: a restart of the process does not change it."""

    missing_module: str = ""
    broken_configuration: bool = False
    start_memory_bytes: int = 0
    """What loading everything at the start takes, when that is more than usual."""
    missing_table: str = ""
    """The service reads this table at its start, and it is not there."""
