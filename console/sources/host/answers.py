"""What plain commands print about a machine → readings. Pure, and used by the simulated machine as well.

Formats: POSIX `df -P`; `/proc/meminfo` and `/proc/net/tcp` of Linux (proc(5)); `ps` and `top` of procps-ng 3.3 to 4; `ss` of
iproute2; `find -printf` of GNU findutils; `systemctl show`. Everything foreign is cleaned here; what a command left out is None.
Each raises ValueError when the text is not what the command prints.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from console.sources.protocols.host import Disk, FileEntry, Memory, PortOwner, Process, Unit
from console.text import clean, printable

_DF = re.compile(r".*?\s(\d+|-)\s+(\d+|-)\s+(-?\d+|-)\s+(?:\d+%|-)\s")
_PS = re.compile(r"\s*(\d+) (\S+)\s+(\d+)\s+(\d+) (.{32})(?: (.*))?")
_SS_OWNER = re.compile(r'\("((?:[^"\\]|\\.)*)",pid=(\d+),fd=\d+\)')
_UNIT_TIME = re.compile(r"(?:[A-Z][a-z]{2} )?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)? UTC")
_LISTEN = "0A"
_UNSET = str(2**64 - 1)
_ENABLED = {"enabled": True, "enabled-runtime": True, "disabled": False, "masked": False, "masked-runtime": False}


def disk(blocks: str, inodes: str, path: str) -> Disk:
    """`df -P -k PATH` and `df -P -i PATH`. The total is what users may fill, as df counts its percent: used + available."""
    used, free = _df_row(blocks)
    if used is None or free is None:
        raise ValueError("df gives no sizes")
    inodes_used, inodes_free = _df_row(inodes)
    known = inodes_used is not None and inodes_free is not None and inodes_used + inodes_free > 0
    return Disk(
        clean(path),
        1024 * (used + max(free, 0)),
        1024 * max(free, 0),
        (inodes_used or 0) + (inodes_free or 0) if known else None,
        inodes_free if known else None,
    )


def memory(meminfo: str) -> Memory:
    """`/proc/meminfo`, whose "kB" are KiB."""
    found = {name: 1024 * int(value) for name, value in re.findall(r"^(\w+):\s+(\d+) kB$", meminfo, re.M)}
    try:
        total, available = found["MemTotal"], found["MemAvailable"]
    except KeyError as error:
        raise ValueError(f"no {error.args[0]}") from None
    swap = found.get("SwapTotal", 0)
    return Memory(total, available, swap, swap - found.get("SwapFree", swap))


def processes(listing: str, shares: Mapping[int, float], now: float) -> tuple[Process, ...]:
    """`ps -eww -o pid=,user:32=,rss=,etimes=,comm:32=,args=` at the machine's time `now`, and the shares of `top_shares`."""
    found = []
    for line in listing.splitlines():
        match = _PS.match(line)
        if match is None:
            continue
        pid, user, rss, elapsed, name, command = match.groups()
        found.append(
            Process(
                pid=int(pid),
                name=clean(name.strip(), 100),
                command=clean((command or name).strip(), 400),
                user=clean(user.strip(), 100),
                memory_bytes=1024 * int(rss),
                cpu_percent=shares.get(int(pid)),
                started_at=now - int(elapsed),
            )
        )
    if not found:
        raise ValueError("ps lists no process")
    return tuple(found)


def top_shares(printed: str) -> dict[int, float]:
    """`top -b -n 2`: each process's share of one core in the last of its tables, by pid."""
    shares: dict[int, float] = {}
    column = None
    for line in printed.splitlines():
        words = line.split()
        if "PID" in words and "%CPU" in words:
            shares, column = {}, words.index("%CPU")
        elif column is not None and len(words) > column and words[0].isdigit():
            try:
                shares[int(words[0])] = float(words[column].replace(",", "."))
            except ValueError:
                continue
    return shares


def listeners(printed: str, ports: Iterable[int]) -> dict[int, tuple[int | None, str]]:
    """`ss -Hltnp`: the first process (pid and name; None when it may not be seen) that listens on each of the ports."""
    wanted, found = set(ports), dict[int, tuple[int | None, str]]()
    for line in printed.splitlines():
        words = line.split()
        port = words[3].rpartition(":")[2] if len(words) > 3 and words[0] == "LISTEN" else ""
        if not port.isdigit() or int(port) not in wanted:
            continue
        owner = _SS_OWNER.search(line)
        if owner is not None:
            found[int(port)] = (int(owner.group(2)), clean(owner.group(1), 100))
        else:
            found.setdefault(int(port), (None, ""))
    return found


def listening_ports(table: str) -> frozenset[int]:
    """`/proc/net/tcp` and `/proc/net/tcp6`: the ports on which anybody listens."""
    rows = (line.split() for line in table.splitlines())
    return frozenset(int(row[1].rpartition(":")[2], 16) for row in rows if len(row) > 3 and row[3] == _LISTEN and ":" in row[1])


def owners(listening: Mapping[int, tuple[int | None, str]], running: Iterable[Process]) -> tuple[PortOwner, ...]:
    """Who listens, with what is known of the process."""
    by_pid = {item.pid: item for item in running}
    result = []
    for port, (pid, name) in sorted(listening.items()):
        process = by_pid.get(pid) if pid is not None else None
        if process is None:
            result.append(PortOwner(port, pid, name, name))
        else:
            result.append(PortOwner(port, pid, name, process.command or name, process.user, process.started_at))
    return tuple(result)


def unit(shown: str, name: str) -> Unit:
    """`systemctl show` of UNIT_PROPERTIES, times in UTC. A unit that is not there has LoadState `not-found`."""
    found = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    if "ActiveState" not in found:
        raise ValueError("systemctl shows no ActiveState")
    active = clean(found["ActiveState"], 40)
    since = found.get("ActiveEnterTimestamp" if active == "active" else "InactiveEnterTimestamp", "")
    return Unit(
        name=clean(name, 200),
        known=found.get("LoadState", "loaded") not in ("not-found", "error", "bad-setting"),
        active=active,
        sub=clean(found.get("SubState", ""), 40),
        enabled=_ENABLED.get(found.get("UnitFileState", "")),
        restarts=_count(found.get("NRestarts")),
        main_pid=_count(found.get("MainPID")) or None,
        memory_bytes=_count(found.get("MemoryCurrent")),
        since=_unit_time(since),
        result=clean(found.get("Result", ""), 40),
    )


def is_same_file(now: FileEntry | None, seen: FileEntry) -> bool:
    """Whether a path still holds the file that was seen there, by its size and time."""
    if now is None or now.is_folder or now.size_bytes != seen.size_bytes:
        return False
    return abs(now.modified_at - seen.modified_at) <= 0.001


def file_entries(printed: str) -> tuple[FileEntry, ...]:
    """`find -printf` of FIND_FORMAT, oldest first. Paths stay raw, to be given back to commands: clean them to show."""
    found = []
    for record in printed.split("\0"):
        parts = record.split(" ", 6)
        try:
            kind, mode, size, modified, user, group, path = parts
            entry = FileEntry(path, kind == "d", clean(user, 64), clean(group, 64), int(mode, 8), int(size), float(modified))
        except ValueError:
            continue
        found.append(entry)
    return tuple(sorted(found, key=lambda entry: entry.modified_at))


def with_name(entry: FileEntry, path: str) -> FileEntry:
    """The entry under the name by which it was asked for."""
    return replace(entry, path=path)


def lines_of(raw: bytes | str, most: int) -> Sequence[str]:
    """The last lines of a text, as they are."""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    return text.splitlines()[-most:]


def words_of(stderr: bytes, stdout: bytes, code: int) -> str:
    """What a command said when it failed, in one line."""
    said = stderr.strip() or stdout.strip()
    return printable(clean(said, 200)) or f"exit code {code}"


def _df_row(printed: str) -> tuple[int | None, int | None]:
    row = printed.strip().splitlines()[-1] if printed.strip() else ""
    match = _DF.match(f"{row} ")
    if match is None:
        raise ValueError("df gives no row")
    _, used, free = (None if part == "-" else int(part) for part in match.groups())
    return used, free


def _count(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() and text != _UNSET else None


def _unit_time(text: str) -> float | None:
    match = _UNIT_TIME.match(text)
    return datetime.fromisoformat(match.group(1)).replace(tzinfo=UTC).timestamp() if match else None
