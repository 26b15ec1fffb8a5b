"""The engine's raw JSON → what we show. Pure, and used by the simulated stack as well.

Shapes: Docker Engine API, `GET /containers/json`, `/containers/{id}/json`, `/containers/{id}/stats` and `/system/df`, versions
1.24 to 1.51. Everything foreign is cleaned here; what the engine left out is None, never 0.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from console.sources.protocols.engine import (
    Container,
    ContainerProcess,
    Details,
    Health,
    Link,
    Mount,
    Port,
    Reclaimable,
    State,
    Usage,
)
from console.text import block, clean, printable

_HEALTH = {"(healthy)": Health.HEALTHY, "(unhealthy)": Health.UNHEALTHY, "(health: starting)": Health.STARTING}
_EXITED = re.compile(r"^(?:Exited|Restarting) \((-?\d{1,10})\)")
_SHORT_ID = re.compile(r"[0-9a-f]{12}")
_TIME = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$")


def container(listed: Mapping[str, Any], inspected: Mapping[str, Any] | None) -> Container:
    """One container from its line of the list and, when there is one, its inspection.

    State and health come from the list, which is as old as the question; restarts, times, OOM and limits from the
    inspection, which may be some seconds older. Without an inspection they are None. Raises KeyError, TypeError or
    ValueError when this is no answer of an engine.
    """
    status = str(listed.get("Status") or "")
    exited = _EXITED.match(status)
    facts: dict[str, Any] = {
        "id": printable(str(listed["Id"]), 64),
        "name": _name(listed.get("Names") or ()) or printable(str(listed["Id"])[:12]),
        "image": clean(str(listed.get("Image") or ""), 256),
        "image_id": printable(str(listed.get("ImageID") or ""), 128),
        "state": State(str(listed.get("State")).lower()),
        "health": next((health for mark, health in _HEALTH.items() if mark in status), Health.NONE),
        "created_at": float(listed["Created"]) if listed.get("Created") else None,
        "exit_code": int(exited.group(1)) if exited else None,
        "labels": _labels(listed.get("Labels")),
        "ports": _ports(listed.get("Ports") or ()),
        "networks": _names((listed.get("NetworkSettings") or {}).get("Networks")),
    }
    if inspected is not None:
        facts.update(_inspected(inspected, facts["state"]))
        if not any(port.host_port for port in facts["ports"]):
            # One that is down publishes nothing, but which ports it needs is known.
            facts["ports"] = _ports(_published((inspected.get("HostConfig") or {}).get("PortBindings") or {})) or facts["ports"]
    return Container(**facts)


def inspected_only(inspected: Mapping[str, Any]) -> Container:
    """One container from its inspection alone: for a question about a container that the list was not asked for."""
    config, state = inspected.get("Config") or {}, inspected["State"]
    health = str((state.get("Health") or {}).get("Status") or "none")
    listed = {
        "Id": inspected["Id"],
        "Names": [inspected.get("Name") or ""],
        "Image": config.get("Image"),
        "ImageID": inspected.get("Image"),
        "State": state["Status"],
        "Status": next((mark for mark, value in _HEALTH.items() if value.value == health), ""),
        "Created": unix_time(inspected.get("Created")),
        "Labels": config.get("Labels"),
        "Ports": _published((inspected.get("NetworkSettings") or {}).get("Ports") or {}),
        "NetworkSettings": inspected.get("NetworkSettings"),
    }
    return container(listed, inspected)


def usage(before: Mapping[str, Any] | None, now: Mapping[str, Any], taken_at: float) -> Usage | None:
    """What a container uses between two samples of its stats; None when `now` holds none (it does not run).

    The formulas are the docker CLI's (`cli/command/container/stats_helpers.go`): CPU is the container's share of the
    host's CPU time × online CPUs, so percent of one core; memory is usage − total_inactive_file (cgroup v1) or
    inactive_file (v2), so without the page cache; network is the sum over all interfaces. Without `before` the sample's own
    predecessor is taken; where there is none the CPU is unknown.
    """
    memory, pids = now.get("memory_stats") or {}, (now.get("pids_stats") or {}).get("current")
    cpu = now.get("cpu_stats") or {}
    if not memory.get("usage") and not pids and not cpu.get("system_cpu_usage"):
        return None
    earlier = before.get("cpu_stats") if before is not None else now.get("precpu_stats")
    networks = now.get("networks")
    limit = memory.get("limit")
    return Usage(
        taken_at=taken_at,
        cpu_percent=_cpu_percent(earlier or {}, cpu),
        memory_used_bytes=_memory_used(memory),
        memory_limit_bytes=int(limit) if limit else None,
        pids=int(pids) if pids is not None else None,
        network_received_bytes=_network(networks, "rx_bytes"),
        network_sent_bytes=_network(networks, "tx_bytes"),
    )


def details(inspected: Mapping[str, Any]) -> Details:
    """Environment, mounts, networks and command from an inspection. Values of the environment stay raw: they may be secret."""
    config, host = inspected.get("Config") or {}, inspected.get("HostConfig") or {}
    pairs = (str(item).partition("=") for item in config.get("Env") or ())
    mounts = [
        Mount(
            kind=clean(str(item.get("Type") or ""), 16),
            source=clean(str(item.get("Name") or item.get("Source") or ""), 1024),
            target=clean(str(item.get("Destination") or ""), 1024),
            writable=bool(item.get("RW")),
        )
        for item in inspected.get("Mounts") or ()
    ]
    mounts += [
        Mount("tmpfs", "", clean(str(path), 1024), "ro" not in str(options).split(","))
        for path, options in (host.get("Tmpfs") or {}).items()
        if not any(item.target == path for item in mounts)
    ]
    networks = (inspected.get("NetworkSettings") or {}).get("Networks") or {}
    own = _name((str(inspected.get("Name") or ""),))
    links = tuple(_link(str(name), place or {}, own) for name, place in sorted(networks.items()))
    words = (inspected.get("Path") or "", *(inspected.get("Args") or ()))
    return Details(
        environment={printable(name, 256): value for name, _, value in pairs},
        mounts=tuple(sorted(mounts, key=lambda item: item.target)),
        links=links,
        command=tuple(clean(str(word), 1024) for word in words if word),
    )


def processes(top: Mapping[str, Any]) -> tuple[ContainerProcess, ...]:
    """The answer of `GET /containers/{id}/top`, whatever columns `ps` was asked for; busiest first.

    Source of the columns: procps ps(1), `%CPU` is processor time over life time, `RSS` is in KiB.
    """
    titles = [str(title).upper() for title in top["Titles"]]
    found = []
    for row in top.get("Processes") or ():
        told = dict(zip(titles, map(str, row), strict=False))
        share, resident = told.get("%CPU", told.get("C", "")), told.get("RSS", "")
        found.append(
            ContainerProcess(
                pid=int(told["PID"]),
                cpu_percent=float(share) if share.replace(".", "", 1).isdecimal() else None,
                memory_bytes=int(resident) * 1024 if resident.isdecimal() else None,
                command=clean(told.get("COMMAND", told.get("CMD", "")), 512),
            )
        )
    return tuple(sorted(found, key=lambda item: (-(item.cpu_percent or 0.0), item.pid)))


def reclaimable(df: Mapping[str, Any]) -> tuple[Reclaimable, ...]:
    """What a prune would delete: stopped containers, images and volumes that no container uses, largest first.

    An image counts with the bytes that it shares with no other, so what comes free is at least that.
    """
    containers = [
        (_name(item.get("Names") or ()) or _short(item), _size(item.get("SizeRw")))
        for item in df.get("Containers") or ()
        if str(item.get("State")).lower() in (State.CREATED, State.EXITED, State.DEAD)
    ]
    images = [(_image_name(item), _unique_size(item)) for item in df.get("Images") or () if item.get("Containers") == 0]
    volumes = [
        (clean(str(item.get("Name") or ""), 256), _size((item.get("UsageData") or {}).get("Size")))
        for item in df.get("Volumes") or ()
        if (item.get("UsageData") or {}).get("RefCount") == 0
    ]
    kinds = (("containers", containers), ("images", images), ("volumes", volumes))
    return tuple(Reclaimable(kind, tuple(sorted(items, key=lambda item: (-item[1], item[0])))) for kind, items in kinds)


def unix_time(text: object) -> float | None:
    """An RFC 3339 time of the engine (nanoseconds) as Unix seconds; None for Go's zero time or what is no time."""
    found = _TIME.match(text) if isinstance(text, str) else None
    if found is None or text == "0001-01-01T00:00:00Z":
        return None
    whole, fraction, zone = found.groups()
    moment = datetime.fromisoformat(whole + ("+00:00" if zone == "Z" else zone)).astimezone(UTC)
    return moment.timestamp() + float(f"0.{fraction or 0}")


def _inspected(inspected: Mapping[str, Any], state: State) -> dict[str, Any]:
    at, config, host = inspected["State"], inspected.get("Config") or {}, inspected.get("HostConfig") or {}
    policy = host.get("RestartPolicy") or {}
    name = printable(str(policy.get("Name") or ""), 64)
    retries = policy.get("MaximumRetryCount")
    finished_at = unix_time(at.get("FinishedAt"))
    created_at = unix_time(inspected.get("Created"))
    facts: dict[str, Any] = {
        "started_at": unix_time(at.get("StartedAt")),
        "finished_at": finished_at,
        "oom_killed": _maybe(bool, at.get("OOMKilled")),
        "restart_count": _maybe(int, inspected.get("RestartCount")),
        "memory_limit_bytes": int(host["Memory"]) if host.get("Memory") else None,
        "restart_policy": f"{name}:{retries}" if retries else name,
        "error": " ".join(block(str(at.get("Error") or ""), 5)),
        "health_output": _health_output(at.get("Health") or {}),
        "tty": bool(config.get("Tty")),
        "networks": _names((inspected.get("NetworkSettings") or {}).get("Networks")),
    }
    if created_at is not None:
        facts["created_at"] = created_at
    # A container that never ended has exit code 0 in its inspection: that is no exit.
    if state not in (State.RUNNING, State.PAUSED) and (finished_at is not None or at.get("ExitCode")):
        facts["exit_code"] = _maybe(int, at.get("ExitCode"))
    return facts


def _link(network: str, place: Mapping[str, Any], own: str) -> Link:
    """Others find a container by name only where the engine answers DNS, which it does not on the network `bridge`.

    Aliases to API 1.43, DNSNames from 1.44 on; the short id, an alias that nobody uses, is left out.
    """
    names = dict.fromkeys((own, *(place.get("Aliases") or ()), *(place.get("DNSNames") or ()))) if network != "bridge" else ()
    known = tuple(clean(str(name), 128) for name in names if name and not _SHORT_ID.fullmatch(str(name)))
    return Link(clean(network, 128), clean(str(place.get("IPAddress") or place.get("GlobalIPv6Address") or ""), 64), known)


def _health_output(health: Mapping[str, Any]) -> str:
    log = health.get("Log") or ()
    return " ⏎ ".join(block(str(log[-1].get("Output") or ""), 5)) if log else ""


def _cpu_percent(earlier: Mapping[str, Any], cpu: Mapping[str, Any]) -> float | None:
    used, used_before = (_counter(sample, "cpu_usage", "total_usage") for sample in (cpu, earlier))
    host, host_before = cpu.get("system_cpu_usage"), earlier.get("system_cpu_usage")
    if used is None or used_before is None or not host or not host_before or host <= host_before or used < used_before:
        return None
    cores = cpu.get("online_cpus") or len((cpu.get("cpu_usage") or {}).get("percpu_usage") or ())
    return 100.0 * cores * (used - used_before) / (host - host_before) if cores else None


def _memory_used(memory: Mapping[str, Any]) -> int | None:
    used = memory.get("usage")
    if used is None:
        return None
    details = memory.get("stats") or {}
    cache = details.get("total_inactive_file", details.get("inactive_file", 0))
    return int(used - cache) if cache < used else int(used)


def _network(networks: Mapping[str, Any] | None, key: str) -> int | None:
    return None if networks is None else sum(int(interface.get(key) or 0) for interface in networks.values())


def _counter(sample: Mapping[str, Any], *path: str) -> int | None:
    value: Any = sample
    for key in path:
        value = (value or {}).get(key)
    return None if value is None else int(value)


def _name(names: Sequence[str]) -> str:
    # A linked container has several names, the others with a slash inside: "/web/database".
    own = [name for name in names if name.count("/") < 2] or list(names)
    return printable(str(own[0]).lstrip("/"), 256) if own else ""


def _labels(labels: Mapping[str, Any] | None) -> dict[str, str]:
    return {clean(str(key), 256): clean(str(value), 1024) for key, value in (labels or {}).items()}


def _names(networks: Mapping[str, Any] | None) -> tuple[str, ...]:
    return tuple(sorted(clean(str(name), 128) for name in networks or ()))


def _ports(ports: Sequence[Mapping[str, Any]]) -> tuple[Port, ...]:
    found = {
        Port(
            container_port=int(port["PrivatePort"]),
            protocol=clean(str(port.get("Type") or "tcp"), 16),
            host_ip=clean(str(port["IP"]), 64) if port.get("IP") else None,
            host_port=int(port["PublicPort"]) if port.get("PublicPort") else None,
        )
        for port in ports
    }
    return tuple(sorted(found, key=lambda port: (port.container_port, port.protocol, port.host_port or 0, port.host_ip or "")))


def _published(ports: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The inspection's form of ports, {"80/tcp": [{"HostIp", "HostPort"}] or null}, in the list's form."""
    found: list[dict[str, Any]] = []
    for key, bindings in ports.items():
        number, _, protocol = key.partition("/")
        unpublished: dict[str, Any] = {}
        for binding in bindings or (unpublished,):
            public = {"IP": binding.get("HostIp"), "PublicPort": int(binding["HostPort"])} if binding.get("HostPort") else {}
            found.append({"PrivatePort": int(number), "Type": protocol, **public})
    return found


def _image_name(image: Mapping[str, Any]) -> str:
    tags = [tag for tag in image.get("RepoTags") or () if tag != "<none>:<none>"]
    return clean(str(tags[0]), 256) if tags else f"{_short(image)} (untagged)"


def _short(item: Mapping[str, Any]) -> str:
    return printable(str(item.get("Id") or "").removeprefix("sha256:")[:12])


def _unique_size(image: Mapping[str, Any]) -> int:
    shared = image.get("SharedSize")
    return max(0, _size(image.get("Size")) - (_size(shared) if shared is not None else 0))


def _size(value: Any) -> int:
    # -1 is the engine's "not counted".
    return max(0, int(value or 0))


def _maybe(kind: type, value: Any) -> Any:
    return None if value is None else kind(value)
