"""Commands inside containers: in a running one, and in a new one of the same kind that is removed afterwards."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from struct import Struct
from typing import TYPE_CHECKING, Any, Protocol

from console.reading import FailureKind, SourceError
from console.sources.docker.errors import garbage, lost
from console.sources.docker.stream import Body
from console.sources.docker.workers import Workers
from console.sources.protocols.engine import ExecResult
from console.text import clean

if TYPE_CHECKING:
    from console.sources.docker.client import Client

ANSWER_S = 2.5
OUTPUT_BYTES = 16 * 1024 * 1024
"""So much of each stream of a command is kept; what it prints beyond is read and dropped."""
ONE_OFF_LABEL = "triage.one-off"
_REMOVAL_S = 10.0
_HEADER = Struct(">BxxxL")


class Requests(Protocol):
    """How a stream is opened; `DockerEngine` gives its own."""

    def __call__(
        self, method: str, path: str, query: Mapping[str, str | int], *, body: Any, answer_s: float | None, subject: str
    ) -> AbstractAsyncContextManager[Body]: ...


class Commands:
    """`request` opens a stream, `shown` says the engine's address for messages."""

    def __init__(self, workers: Workers, request: Requests, shown: Callable[[], str]) -> None:
        self._workers = workers
        self._request = request
        self._shown = shown

    async def execute(self, name: str, argv: Sequence[str], timeout_s: float) -> ExecResult:
        """Run a command in a running container. TIMEOUT when it takes longer; the engine cannot end it then."""

        def create(client: "Client") -> str:
            return str(client.exec_create(name, list(argv))["Id"])

        def look(client: "Client") -> Mapping[str, Any]:
            inspected: Mapping[str, Any] = client.exec_inspect(exec_id)
            return inspected

        exec_id = await self._workers.ask(create, limit_s=ANSWER_S, subject=name)
        output = _Output(self._shown())
        try:
            async with (
                asyncio.timeout(timeout_s),
                self._request(
                    "POST", f"/exec/{exec_id}/start", {}, body={"Detach": False, "Tty": False}, answer_s=None, subject=name
                ) as body,
            ):
                await output.collect(body)
        except TimeoutError:
            raise _too_slow(name, argv, timeout_s, "It may still be running there: `docker top` shows it.") from None
        code = (await self._workers.ask(look, limit_s=ANSWER_S, subject=name)).get("ExitCode")
        if code is None:
            raise lost(self._shown())
        return output.result(int(code))

    async def run_like(self, name: str, argv: Sequence[str], timeout_s: float) -> ExecResult:
        """Run a command in a new container like `name`. TIMEOUT kills it; it is removed in every case."""
        container_id = await self._workers.ask(lambda client: _create_like(client, name, argv), limit_s=_REMOVAL_S, subject=name)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._run(container_id, name)
        except TimeoutError:
            raise _too_slow(name, argv, timeout_s, "It was killed and its container removed.") from None
        finally:
            await asyncio.shield(self._remove(container_id))

    async def _run(self, container_id: str, name: str) -> ExecResult:
        output = _Output(self._shown())
        attached = {"stream": 1, "stdout": 1, "stderr": 1}
        path = f"/containers/{container_id}"
        async with (
            self._request("POST", f"{path}/attach", attached, body=None, answer_s=ANSWER_S, subject=name) as printed,
            self._request("POST", f"{path}/wait", {"condition": "next-exit"}, body=None, answer_s=None, subject=name) as ended,
        ):
            await self._workers.ask(lambda client: client.start(container_id), limit_s=30.0, subject=name)
            await output.collect(printed)
            answer = b"".join([piece async for piece in ended.pieces()])
        try:
            return output.result(int(json.loads(answer)["StatusCode"]))
        except (ValueError, KeyError, TypeError):
            raise garbage(self._shown(), "no exit code in the answer to a wait") from None

    async def _remove(self, container_id: str) -> None:
        def remove(client: "Client") -> None:
            client.remove_container(container_id, force=True)

        # Gone already, or the engine is: the command's own outcome is what counts.
        with contextlib.suppress(SourceError):
            await self._workers.ask(remove, limit_s=_REMOVAL_S)


class _Output:
    """What a command prints, told apart. Frames as in logs, but any bytes inside."""

    def __init__(self, at: str) -> None:
        self._at = at
        self._kept = {1: bytearray(), 2: bytearray()}

    async def collect(self, body: Body) -> None:
        rest = bytearray()
        async for piece in body.pieces():
            rest += piece
            at = 0
            while len(rest) - at >= _HEADER.size:
                kind, length = _HEADER.unpack_from(rest, at)
                if kind not in (1, 2):
                    raise garbage(self._at, "the output of a command is not sent in frames")
                end = at + _HEADER.size + length
                if end > len(rest):
                    break
                kept = self._kept[kind]
                kept += rest[at + _HEADER.size : min(end, at + _HEADER.size + OUTPUT_BYTES - len(kept))]
                at = end
            del rest[:at]

    def result(self, exit_code: int) -> ExecResult:
        return ExecResult(exit_code, bytes(self._kept[1]), bytes(self._kept[2]))


def _create_like(client: "Client", name: str, argv: Sequence[str]) -> str:
    """A container with the image, environment, volumes and networks of another; its id. Runs in a worker's thread.

    It has no ports, no aliases and no restart policy, so that nobody takes it for its model, no health check, and no
    memory limit: the model's may be what keeps it from staying up. Labels that begin with com. are left out, for
    Compose and the systems select by them.
    """
    model = client.inspect_container(name)
    config, host = model["Config"], model["HostConfig"]
    networks = list((model.get("NetworkSettings") or {}).get("Networks") or {})
    mode = host.get("NetworkMode") or "default"
    own_network = mode == "host" or mode == "none" or mode.startswith("container:")
    labels = {key: value for key, value in (config.get("Labels") or {}).items() if not key.startswith("com.")}
    created = client.create_container(
        model["Image"],
        entrypoint=list(argv[:1]),
        command=list(argv[1:]),
        environment=config.get("Env") or [],
        user=config.get("User") or None,
        working_dir=config.get("WorkingDir") or None,
        name=f"triage-{str(model['Name']).lstrip('/')}-{secrets.token_hex(4)}",
        labels={**labels, ONE_OFF_LABEL: str(model["Name"]).lstrip("/")},
        healthcheck={"test": ["NONE"]},
        host_config=client.create_host_config(
            volumes_from=[model["Id"]],
            network_mode=mode if own_network or not networks else networks[0],
            extra_hosts=host.get("ExtraHosts") or None,
        ),
    )
    container_id = str(created["Id"])
    for network in () if own_network else networks[1:]:
        client.connect_container_to_network(container_id, network)
    return container_id


def _too_slow(name: str, argv: Sequence[str], timeout_s: float, advice: str) -> SourceError:
    command = clean(" ".join(argv), 120)
    return SourceError(FailureKind.TIMEOUT, f"`{command}` in {clean(name, 200)} was not done within {timeout_s:g} s.", advice)
