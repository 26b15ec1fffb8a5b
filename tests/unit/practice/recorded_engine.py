"""A container engine that only writes down what it is told: containers, their files, processes and units, in dictionaries."""

import base64
import io
import json
import re
import tarfile
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from docker.errors import NotFound

from console.practice.lab.spec import MIB
from console.practice.lab.stack import Lab

TEXT = b"""import redis
import hashlib
public
rocommunity
"length_days": 150
ExecStart=/usr/bin/python3
location = /grades/old
"""
"""Every file that nobody wrote: something in it for each of the changes that faults make."""
PAGE = bytes(range(256)) * 32
Interrupt = Callable[[int], None]


class RecordedEngine:
    """The part of docker's client that the lab uses. `changes` are what it was told to change, in order.

    `after` is called with the number of each change, and may raise.
    """

    def __init__(self) -> None:
        self.api = self
        self.found: dict[str, dict[str, Any]] = {}
        self.pages: dict[str, bytes] = {}
        self.changes: list[str] = []
        self.after: Interrupt = lambda _number: None
        self._execs: list[tuple[str, list[str]]] = []

    def make(self, lab: Lab) -> None:
        """Every container of the lab, running, as `up` makes them."""
        for spec in lab.specs():
            lab._create(spec, "image")
        lab._write_project()
        self.changes.clear()

    def state(self) -> dict[str, object]:
        """What a way back must bring back."""
        told = {
            item["Name"]: (
                item["State"]["Running"],
                item["State"]["Paused"],
                item["HostConfig"]["Memory"],
                item["shares"],
                json.dumps(item["Config"]["Labels"], sort_keys=True),
                {path: text for path, text in item["files"].items() if text != TEXT and not path.startswith("/tmp/")},
                tuple(item["processes"]),
                tuple(item["hosts"]),
                tuple(sorted(item["stopped"])),
            )
            for item in self.found.values()
        }
        return {**told, "pages": {path: page for path, page in self.pages.items() if page != PAGE}}

    def disown(self, *names: str) -> None:
        """Take the lab's label off these, or off everything: containers of the same names, and somebody else's."""
        for name in names or tuple(self.found):
            self.found[name]["Config"]["Labels"] = {}

    def _change(self, what: str, act: Callable[[], object]) -> None:
        number = len(self.changes)
        self.changes.append(what)
        act()
        self.after(number)

    def _by_id(self, name: str) -> dict[str, Any]:
        for item in self.found.values():
            if name in (item["Id"], item["Name"]):
                return item
        raise NotFound(f"No such container: {name}")

    # -- the engine's API -----------------------------------------------------------------------------------------------

    def inspect_container(self, name: str) -> dict[str, Any]:
        return self._by_id(name)

    def containers(self, **_filters: object) -> list[dict[str, Any]]:
        return [{"Names": ["/" + name], "Id": item["Id"]} for name, item in self.found.items()]

    def create_container_from_config(self, request: dict[str, Any], name: str) -> dict[str, Any]:
        def act() -> None:
            network = request["HostConfig"]["NetworkMode"]
            self.found[name] = {
                "Id": f"id-{name}-{len(self.changes)}",
                "Name": name,
                "Config": {"Labels": dict(request["Labels"]), "Image": "image"},
                "HostConfig": {"Memory": request["HostConfig"]["Memory"]},
                "State": {"Running": False, "Paused": False, "Restarting": False, "Health": {"Status": "healthy"}},
                "NetworkSettings": {"Networks": {network: {"IPAddress": "172.20.0.9"}}},
                "RestartCount": 0,
                "shares": 1024,
                "files": {},
                "processes": [],
                "hosts": [],
                "stopped": set(),
            }

        self._change(f"create {name}", act)
        return self.found[name]

    def start(self, name: str) -> None:
        item = self._by_id(name)
        if not item["State"]["Running"]:
            self._change(f"start {item['Name']}", lambda: self._run(item, running=True))

    def stop(self, name: str, timeout: int = 0) -> None:
        item = self._by_id(name)
        self._change(f"stop {item['Name']}", lambda: self._run(item, running=False))

    kill = stop

    def pause(self, name: str) -> None:
        item = self._by_id(name)
        self._change(f"pause {item['Name']}", lambda: item["State"].update(Paused=True))

    def unpause(self, name: str) -> None:
        item = self._by_id(name)
        self._change(f"unpause {item['Name']}", lambda: item["State"].update(Paused=False))

    def rename(self, name: str, to: str) -> None:
        item = self._by_id(name)

        def act() -> None:
            self.found[to] = self.found.pop(item["Name"])
            item["Name"] = to

        self._change(f"rename {item['Name']}", act)

    def remove_container(self, name: str, **_options: object) -> None:
        item = self._by_id(name)
        self._change(f"remove {item['Name']}", lambda: self.found.pop(item["Name"]))

    def update_container(self, name: str, mem_limit: int = 0, cpu_shares: int = 0, **_options: object) -> None:
        item = self._by_id(name)

        def act() -> None:
            if mem_limit:
                item["HostConfig"]["Memory"] = mem_limit
            if cpu_shares:
                item["shares"] = cpu_shares

        self._change(f"update {item['Name']}", act)

    def stats(self, _name: str, **_options: object) -> dict[str, Any]:
        return {"memory_stats": {"usage": 50 * MIB}}

    def logs(self, _name: str, **_options: object) -> bytes:
        return b""

    def get_archive(self, name: str, path: str) -> tuple[Iterator[bytes], object]:
        buffer, content = io.BytesIO(), self._by_id(name)["files"].get(path, TEXT)
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            entry = tarfile.TarInfo(path.rpartition("/")[2])
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        return iter([buffer.getvalue()]), {}

    def put_archive(self, name: str, folder: str, content: bytes) -> None:
        item = self._by_id(name)
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            member = archive.next()
            assert member is not None
            handle = archive.extractfile(member)
            assert handle is not None
            text = handle.read()
        self._change(f"write {folder}", lambda: item["files"].update({f"{folder.rstrip('/')}/{member.name}": text}))

    def exec_create(self, name: str, command: list[str], **_options: object) -> dict[str, str]:
        self._execs.append((name, command))
        return {"Id": str(len(self._execs) - 1)}

    def exec_inspect(self, number: str) -> dict[str, int]:
        name, command = self._execs[int(number)]
        stopped = command[:2] == ["systemctl", "is-active"] and command[2] in self._by_id(name)["stopped"]
        return {"ExitCode": 3 if stopped else 0}

    def exec_start(self, number: str, *, detach: bool = False, demux: bool = False) -> tuple[bytes, bytes]:
        name, command = self._execs[int(number)]
        item, line = self._by_id(name), " ".join(command)
        assert item["State"]["Running"], f"{line} in {name}, which does not run"
        assert not item["State"]["Paused"], f"{line} in {name}, which is paused"
        if detach:
            self._change(f"leave {line[:200]}", lambda: item["processes"].append(line))
            return b"", b""
        if command[:2] != ["systemctl", "is-active"] and command[0] not in ("pg_isready", "df"):
            self._change(f"run {line[:200]}", lambda: self._exec(item, command, line))
        return self._output(command, line), b""

    # -- what commands do and print -------------------------------------------------------------------------------------

    def _run(self, item: dict[str, Any], *, running: bool) -> None:
        item["State"]["Running"] = running
        item["processes"].clear()
        item["hosts"].clear()
        item["stopped"].clear()

    def _exec(self, item: dict[str, Any], command: list[str], line: str) -> None:
        if command[0] == "pkill" and command[1] == "-f":
            item["processes"][:] = [one for one in item["processes"] if not re.search(command[2], one)]
        elif command[:2] == ["rm", "-f"]:
            for path in command[2:]:
                item["files"].pop(path, None)
        elif command[:2] == ["systemctl", "stop"]:
            item["stopped"].add(command[2])
        elif command[:2] == ["systemctl", "start"]:
            item["stopped"].discard(command[2])
        elif ">> /etc/hosts" in line:
            item["hosts"].append(line)
        elif "grep -v" in line and "/etc/hosts" in line:
            item["hosts"].clear()
        elif written := re.search(r"echo (\S+) \| base64 -d \| dd of=(\S+)", line):
            self.pages[written.group(2)] = base64.b64decode(written.group(1))

    def _output(self, command: list[str], line: str) -> bytes:
        if command[0] == "df":
            return b"size avail\n335544320 268435456"
        if "redis-cli" in line:
            return b"maxmemory\n0" if "config get" in line else b"used_memory:9000000\nevicted_keys:0"
        if read := re.search(r"dd if=(\S+)", line):
            return base64.b64encode(self.pages.get(read.group(1), PAGE))
        return b"t"


def client(engine: RecordedEngine) -> Any:
    """What `connect` gives."""
    return SimpleNamespace(api=engine, close=lambda: None)
