"""A machine that is asked with plain commands: a container that plays it, or the simulated one.

Exactly these are run, none through a shell (PATH, PORT, … are filled in; exit code 127 means that there is no such command):

    date +%s.%N
    date +%z
    df -P -k -- PATH
    df -P -i -- PATH
    cat /proc/meminfo
    ps -eww -o pid=,user:32=,rss=,etimes=,comm:32=,args=
    top -b -n 2 -d 0.3 -w 512
    ss -Hltnp
    cat /proc/net/tcp /proc/net/tcp6                     where there is no ss
    kill -TERM PID
    env LC_ALL=C TZ=UTC systemctl show --no-pager --property=UNIT_PROPERTIES -- UNIT
    systemctl --no-ask-password start|restart|stop|enable -- UNIT
    find -H PATH -maxdepth 0 -printf FIND_FORMAT         one file or folder; exit code 1 and "No such file" when it is not there
    find -P PATH… -maxdepth 0 -printf FIND_FORMAT        files that are to be deleted, at most 200
    find -H PATH -xdev -type f -printf FIND_FORMAT       the files under a folder
    tail -c BYTES -- PATH
    tail -n LINES -- PATH
    chown -R -h -- OWNER PATH
    chmod -- MODE PATH
    rm -f -- PATH…
    ufw status verbose
    nft list ruleset                                     where there is no ufw
    ufw allow PORT/PROTOCOL

and what checks give to `run`: `docker compose version --short`, `docker-compose version --short`, `dmesg --time-format iso`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from console.reading import FailureKind, SourceError
from console.sources.host import answers, firewall, log_times
from console.sources.protocols.engine import LogLine
from console.sources.protocols.host import Disk, FileEntry, Firewall, Memory, PortOwner, Process, Unit
from console.text import clean

T = TypeVar("T")

Output = tuple[int, bytes, bytes]
"""Exit code, standard output, standard error."""
Run = Callable[[Sequence[str], float], Awaitable[Output]]
"""Runs a command within so many seconds. Raises SourceError when the machine does not answer; a command that is not there is
exit code 127."""

UNIT_PROPERTIES = (
    "LoadState,ActiveState,SubState,UnitFileState,NRestarts,MainPID,MemoryCurrent,"
    "ActiveEnterTimestamp,InactiveEnterTimestamp,Result"
)
FIND_FORMAT = "%y %m %s %T@ %u %g %p\\0"
PS = ("ps", "-eww", "-o", "pid=,user:32=,rss=,etimes=,comm:32=,args=")
TOP = ("top", "-b", "-n", "2", "-d", "0.3", "-w", "512")

AT_ONCE = 200
"""Paths on one command line."""
LIMIT_S = 2.5
CONTROL_LIMIT_S = 90.0
"""systemd itself gives a service so long to start or stop."""
OWNER_LIMIT_S = 60.0
SAME_START_S = 2.0
"""ps tells a process's age in whole seconds, so two looks at its start differ by rounding."""
_NO_COMMAND = 127


class CommandHost:
    """Implements `console.sources.protocols.host.Host` on a callable that runs commands."""

    def __init__(self, run: Run, *, where: str = "this machine") -> None:
        self._run = run
        self._where = where
        self._zone_s: int | None = None

    async def open(self) -> None:
        """Nothing to prepare."""

    async def aclose(self) -> None:
        """Nothing to close."""

    async def run(self, argv: Sequence[str], *, timeout_s: float = 5.0) -> Output:
        """Exit code and output of one authored command without effect; MISSING when it is not there."""
        code, stdout, stderr = await self._run(argv, timeout_s)
        if code == _NO_COMMAND:
            raise SourceError(FailureKind.MISSING, f"There is no command {clean(argv[0])} on {self._where}.")
        return code, stdout, stderr

    async def now(self) -> float:
        return self._understood(float, await self._ask("date", "+%s.%N"), "date")

    async def disk(self, path: str) -> Disk:
        blocks, inodes = await asyncio.gather(
            self._ask("df", "-P", "-k", "--", path, about=path), self._ask("df", "-P", "-i", "--", path, about=path)
        )
        return self._understood(lambda _text: answers.disk(blocks, inodes, path), blocks, "df")

    async def memory(self) -> Memory:
        return self._understood(answers.memory, await self._ask("cat", "/proc/meminfo"), "/proc/meminfo")

    async def processes(self) -> tuple[Process, ...]:
        listing, shares, now = await asyncio.gather(self._ask(*PS), self._ask(*TOP), self.now())
        return self._understood(lambda text: answers.processes(text, answers.top_shares(shares), now), listing, "ps")

    async def port_owners(self, ports: Sequence[int]) -> tuple[PortOwner, ...]:
        try:
            printed = await self._ask("ss", "-Hltnp")
        except SourceError as error:
            if error.failure.kind is not FailureKind.UNSUPPORTED:
                raise
            code, table, _ = await self._run(("cat", "/proc/net/tcp", "/proc/net/tcp6"), LIMIT_S)
            if code and not table:
                raise
            seen = answers.listening_ports(_text(table))
            return answers.owners({port: (None, "") for port in ports if port in seen}, ())
        listening = answers.listeners(printed, ports)
        if not any(pid is not None for pid, _ in listening.values()):
            return answers.owners(listening, ())
        listing, now = await asyncio.gather(self._ask(*PS), self.now())
        return answers.owners(listening, self._understood(lambda text: answers.processes(text, {}, now), listing, "ps"))

    async def end_process(self, pid: int, started_at: float) -> bool:
        if pid <= 1:
            raise SourceError(FailureKind.FORBIDDEN, f"Process {pid} is not ended: the machine lives by it.")
        listing, now = await asyncio.gather(self._ask(*PS), self.now())
        running = self._understood(lambda text: answers.processes(text, {}, now), listing, "ps")
        found = next((item for item in running if item.pid == pid), None)
        if found is None or found.started_at is None or abs(found.started_at - started_at) > SAME_START_S:
            return False
        await self._ask("kill", "-TERM", str(pid), about=f"process {pid}")
        return True

    async def unit(self, name: str) -> Unit:
        argv = ("env", "LC_ALL=C", "TZ=UTC", "systemctl", "show", "--no-pager", f"--property={UNIT_PROPERTIES}", "--", name)
        shown = await self._ask(*argv, about=name, command="systemctl")
        return self._understood(lambda text: answers.unit(text, name), shown, "systemctl")

    async def control_unit(self, name: str, verb: str) -> None:
        await self._ask("systemctl", "--no-ask-password", verb, "--", name, about=name, limit_s=CONTROL_LIMIT_S)

    async def file(self, path: str) -> FileEntry | None:
        try:
            printed = await self._ask("find", "-H", path, "-maxdepth", "0", "-printf", FIND_FORMAT, about=path)
        except SourceError as error:
            if error.failure.kind is FailureKind.MISSING:
                return None
            raise
        found = answers.file_entries(printed)
        return answers.with_name(found[0], path) if found else None

    async def folder(self, path: str, *, older_than_s: float = 0.0, most: int = 20_000) -> tuple[FileEntry, ...]:
        find = ("find", "-H", path, "-xdev", "-type", "f", "-printf", FIND_FORMAT)
        asked = self._ask(*find, about=path, limit_s=2 * LIMIT_S)
        if not older_than_s:
            return answers.file_entries(await asked)[:most]
        printed, now = await asyncio.gather(asked, self.now())
        return tuple(entry for entry in answers.file_entries(printed) if now - entry.modified_at >= older_than_s)[:most]

    async def read(self, path: str, *, most_bytes: int = 65_536) -> bytes:
        return await self._bytes("tail", "-c", str(most_bytes), "--", path, about=path)

    async def log_tail(self, path: str, *, name: str, lines: int, since: float | None = None) -> tuple[LogLine, ...]:
        if self._zone_s is None:
            self._zone_s = self._understood(_zone_s, await self._ask("date", "+%z"), "date")
        raw, entry = await asyncio.gather(self._bytes("tail", "-n", str(lines), "--", path, about=path), self.file(path))
        modified_at = entry.modified_at if entry is not None else await self.now()
        last = answers.lines_of(raw, lines)
        return log_times.dated(last, name=name, modified_at=modified_at, zone_s=self._zone_s, since=since)

    async def set_owner(self, path: str, owner: str, mode: int) -> None:
        await self._ask("chown", "-R", "-h", "--", owner, path, about=path, limit_s=OWNER_LIMIT_S)
        await self._ask("chmod", "--", f"{mode:o}", path, about=path)

    async def remove(self, files: Sequence[FileEntry]) -> tuple[str, ...]:
        removed: list[str] = []
        for start in range(0, len(files), AT_ONCE):
            some = files[start : start + AT_ONCE]
            # Its exit code is 1 when one of many is gone: what is printed tells the others.
            _, printed, _ = await self._run(
                ("find", "-P", *(entry.path for entry in some), "-maxdepth", "0", "-printf", FIND_FORMAT), LIMIT_S
            )
            now = {entry.path: entry for entry in answers.file_entries(_text(printed))}
            same = [entry.path for entry in some if answers.is_same_file(now.get(entry.path), entry)]
            if same:
                await self._ask("rm", "-f", "--", *same, about=f"{len(same)} files", limit_s=OWNER_LIMIT_S)
            removed += same
        return tuple(removed)

    async def firewall(self, port: int, protocol: str = "tcp") -> Firewall:
        try:
            printed = await self._ask("ufw", "status", "verbose")
            return self._understood(lambda text: firewall.ufw(text, port, protocol), printed, "ufw")
        except SourceError as error:
            if error.failure.kind is not FailureKind.UNSUPPORTED:
                raise
        try:
            return firewall.nft(await self._ask("nft", "list", "ruleset"), port, protocol)
        except SourceError as error:
            if error.failure.kind is not FailureKind.UNSUPPORTED:
                raise
        try:
            printed = await self._ask("iptables", "-S", "INPUT")
        except SourceError as error:
            if error.failure.kind is FailureKind.UNSUPPORTED:
                return Firewall(None, None)
            raise
        return self._understood(lambda text: firewall.iptables(text, port, protocol), printed, "iptables")

    async def allow_port(self, port: int, protocol: str = "tcp") -> None:
        await self._ask("ufw", "allow", f"{port}/{protocol}", about=f"port {port}/{protocol}", limit_s=10.0)

    async def _ask(self, *argv: str, about: str = "", command: str = "", limit_s: float = LIMIT_S) -> str:
        return _text(await self._bytes(*argv, about=about, command=command, limit_s=limit_s))

    async def _bytes(self, *argv: str, about: str = "", command: str = "", limit_s: float = LIMIT_S) -> bytes:
        """What a command prints; UNSUPPORTED when it is not there, otherwise what its words mean when it fails."""
        command = command or argv[0]
        code, stdout, stderr = await self._run(argv, limit_s)
        if code == 0:
            return stdout
        raise self._failed(command, about, code, stdout, stderr)

    def _failed(self, command: str, about: str, code: int, stdout: bytes, stderr: bytes) -> SourceError:
        words = answers.words_of(stderr, stdout, code)
        shown, lowered = clean(about), words.lower()
        if code == _NO_COMMAND:
            advice = f"Install {_PACKAGES.get(command, command)} there."
            return SourceError(FailureKind.UNSUPPORTED, f"There is no command {command} on {self._where}.", advice)
        if any(mark in lowered for mark in ("not been booted with systemd", "failed to connect to bus")):
            return SourceError(FailureKind.UNSUPPORTED, f"Services of {self._where} are not kept by systemd.")
        if any(mark in lowered for mark in ("no such file", "not found.", "no such process", "could not be found")):
            return SourceError(FailureKind.MISSING, f"There is no {shown} on {self._where}.", "Check the name in config.toml.")
        if any(mark in lowered for mark in _FORBIDDEN):
            what = f" for {shown}" if shown else ""
            return SourceError(
                FailureKind.FORBIDDEN, f"{command} on {self._where} may not{what}: {words}", "Run Triage as root for this."
            )
        what = f" of {shown}" if shown else ""
        return SourceError(FailureKind.DECLINED, f"{command}{what} on {self._where} failed: {words}")

    def _understood(self, parse: Callable[[str], T], text: str, command: str) -> T:
        try:
            return parse(text)
        except ValueError:
            shown = clean(text.strip(), 80)
            message = f"{command} on {self._where} answered what is not understood: {shown or 'nothing'}"
            raise SourceError(FailureKind.GARBAGE, message) from None


_PACKAGES = {"ps": "procps", "top": "procps", "kill": "procps", "ss": "iproute2", "find": "findutils", "systemctl": "systemd"}
_FORBIDDEN = (
    "permission denied",
    "not permitted",
    "access denied",
    "authentication required",
    "need to be root",
    "must be root",
)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _zone_s(text: str) -> int:
    """`+0530` as seconds."""
    words = text.strip()
    if len(words) != 5 or words[0] not in "+-":
        raise ValueError(words)
    return (-1 if words[0] == "-" else 1) * (int(words[1:3]) * 3600 + int(words[3:]) * 60)
