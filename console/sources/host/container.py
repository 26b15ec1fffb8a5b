"""A machine that a container plays: its commands are run inside."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.sources.host.command import CommandHost, Output
from console.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from console.sources.protocols.engine import Engine

_NOT_THERE = (b"executable file not found", b"no such file or directory")
_RUNTIME = b"OCI runtime exec failed"


class ContainerHost(CommandHost):
    """`engine` gives the container engine when it is first asked; `name` is the container."""

    def __init__(self, engine: "Callable[[], Engine]", name: str) -> None:
        super().__init__(self._execute, where=clean(name))
        self._engine = engine
        self._name = name

    async def _execute(self, argv: Sequence[str], timeout_s: float) -> Output:
        result = await self._engine().execute(self._name, argv, timeout_s=timeout_s)
        said = result.stdout + result.stderr
        # The engine's own words, in the place of a program's: the container has no such program.
        if result.exit_code in (126, 127) and _RUNTIME in said and any(mark in said for mark in _NOT_THERE):
            return 127, b"", b""
        return result.exit_code, result.stdout, result.stderr
