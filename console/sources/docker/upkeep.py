"""What changes the engine in more than one request: starting, memory limits, deleting what nothing uses. In worker threads."""

from typing import TYPE_CHECKING, Any

from console.reading import FailureKind, SourceError
from console.sources.docker.answers import reclaimable
from console.sources.protocols.engine import Reclaimable
from console.text import clean

if TYPE_CHECKING:
    from console.sources.docker.client import Client


def start(client: "Client", name: str) -> None:
    """Start a container, or let a paused one go on: the engine refuses to start that ("try unpause instead", seen with 20.10)."""
    if client.inspect_container(name)["State"].get("Paused"):
        client.unpause(name)
    else:
        client.start(name)


def set_memory_limit(client: "Client", name: str, limit_bytes: int) -> None:
    """Give a container another memory limit while it runs.

    The engine refuses a limit above the sum of memory and swap, so both are set in one request; what it had of swap it
    keeps. -1 is unlimited swap, 0 that none was set: then the sum becomes the limit, so no swap.
    """
    host = client.inspect_container(name)["HostConfig"]
    memory, both = int(host.get("Memory") or 0), int(host.get("MemorySwap") or 0)
    swap = max(0, both - memory) if both > 0 and memory > 0 else 0
    client.update_container(name, mem_limit=limit_bytes, memswap_limit=-1 if both < 0 else limit_bytes + swap)


def find_reclaimable(client: "Client") -> tuple[Reclaimable, ...]:
    return reclaimable(client.df())


def prune(client: "Client", kind: str) -> int:
    """Delete what `find_reclaimable` lists of a kind; the bytes that came free."""
    # The package's type stubs leave these out.
    engine: Any = client
    if kind == "containers":
        answer = engine.prune_containers()
    elif kind == "images":
        answer = engine.prune_images(filters={"dangling": False})
    elif kind == "volumes":
        # Since API 1.42 only volumes without a name are pruned unless all are asked for.
        newer = tuple(map(int, client.api_version.split("."))) >= (1, 42)
        answer = engine.prune_volumes(filters={"all": True} if newer else None)
    else:
        raise SourceError(FailureKind.UNSUPPORTED, f"The engine prunes containers, images and volumes, not {clean(kind, 40)!r}.")
    return int(answer.get("SpaceReclaimed") or 0)
