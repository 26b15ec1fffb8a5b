"""The Docker engine behind the protocol `Engine`: constructor stores, `open` prepares, every method is one question."""

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from console.config import EngineConfig
from console.reading import SourceError
from console.sources.docker import answers
from console.sources.docker.address import Address, resolve
from console.sources.docker.roster import Roster
from console.sources.docker.workers import Workers
from console.sources.protocols.engine import Container, Containers, EngineInfo
from console.text import clean

if TYPE_CHECKING:
    from console.sources.docker.client import Client

ANSWER_S = 2.5
INSPECTIONS_S = 1.5
"""A container in transition can make its inspection hang; the others are shown without waiting longer for it."""


class DockerEngine:
    """`config` says where the engine is and what belongs to the system, `names` are the containers that roles name."""

    def __init__(self, config: EngineConfig, names: tuple[str, ...]) -> None:
        self._config = config
        self._roster = Roster(config.select, names)
        self._round = asyncio.Lock()
        self._workers = Workers(self._locate)
        self._address: Address | None = None

    async def open(self) -> None:
        """Nothing is dialled before the first question."""

    async def aclose(self) -> None:
        await self._workers.aclose()

    async def containers(self) -> Containers:
        async with self._round:
            touched = self._roster.take_touched()

            def look(client: "Client") -> tuple[Container, ...]:
                return _round(client, self._roster, touched)

            try:
                items = await self._workers.ask(look, limit_s=ANSWER_S)
            except SourceError:
                for container_id in touched:
                    self._roster.touch(container_id)
                raise
        return Containers(items)

    async def container(self, name: str) -> Container:
        inspected = await self._inspect(name)
        return answers.inspected_only(inspected)

    async def info(self) -> EngineInfo:
        def look(client: "Client") -> EngineInfo:
            facts = client.info()
            return EngineInfo(
                version=clean(str(facts["ServerVersion"]), 64),
                api_version=client.api_version,
                operating_system=clean(str(facts.get("OperatingSystem") or ""), 200),
                root_dir=clean(str(facts.get("DockerRootDir") or ""), 1024),
            )

        return await self._workers.ask(look, limit_s=ANSWER_S)

    async def _inspect(self, name: str) -> Mapping[str, Any]:
        def look(client: "Client") -> Mapping[str, Any]:
            inspected: Mapping[str, Any] = client.inspect_container(name)
            return inspected

        return await self._workers.ask(look, limit_s=ANSWER_S, subject=name)

    def _locate(self) -> Address:
        if self._address is None:
            self._address = resolve(self._config)
        return self._address


def _round(client: "Client", roster: Roster, touched: frozenset[str]) -> tuple[Container, ...]:
    """One list call, and the inspections that are due. Runs in a worker's thread."""
    from docker.errors import APIError, NotFound
    from requests.exceptions import Timeout

    until = time.monotonic() + INSPECTIONS_S
    listed: list[Mapping[str, Any]] = roster.belonging(client.containers(all=True))
    inspections: dict[str, Mapping[str, Any] | None] = {}
    for container_id in roster.due(listed, touched):
        client.limit_s = until - time.monotonic()
        if client.limit_s <= 0.05:
            break
        try:
            inspections[container_id] = client.inspect_container(container_id)
        except NotFound:
            inspections[container_id] = None
        except (APIError, Timeout):
            roster.touch(container_id)
    return roster.settle(listed, inspections)
