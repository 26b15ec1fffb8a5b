"""What can be said of a Compose file, an ignore file and a build's log from their text alone. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from console.text import clean

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

FILE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
"""In the order in which Compose looks for them."""

# The Compose specification (compose-spec.io, schema/compose-spec.json), top level and service. Names that begin with x- are free.
_TOP = frozenset(["version", "name", "include", "services", "networks", "volumes", "secrets", "configs", "models"])
_SERVICE = frozenset(
    [
        "annotations",
        "attach",
        "blkio_config",
        "build",
        "cap_add",
        "cap_drop",
        "cgroup",
        "cgroup_parent",
        "command",
        "configs",
        "container_name",
        "cpu_count",
        "cpu_percent",
        "cpu_period",
        "cpu_quota",
        "cpu_rt_period",
        "cpu_rt_runtime",
        "cpu_shares",
        "cpus",
        "cpuset",
        "credential_spec",
        "depends_on",
        "deploy",
        "develop",
        "device_cgroup_rules",
        "devices",
        "dns",
        "dns_opt",
        "dns_search",
        "domainname",
        "driver_opts",
        "entrypoint",
        "env_file",
        "environment",
        "expose",
        "extends",
        "external_links",
        "extra_hosts",
        "gpus",
        "group_add",
        "healthcheck",
        "hostname",
        "image",
        "init",
        "ipc",
        "isolation",
        "label_file",
        "labels",
        "links",
        "logging",
        "mac_address",
        "mem_limit",
        "mem_reservation",
        "mem_swappiness",
        "memswap_limit",
        "models",
        "network_mode",
        "networks",
        "oom_kill_disable",
        "oom_score_adj",
        "pid",
        "pids_limit",
        "platform",
        "ports",
        "post_start",
        "pre_stop",
        "privileged",
        "profiles",
        "provider",
        "pull_policy",
        "read_only",
        "restart",
        "runtime",
        "scale",
        "secrets",
        "security_opt",
        "shm_size",
        "stdin_open",
        "stop_grace_period",
        "stop_signal",
        "storage_opt",
        "sysctls",
        "tmpfs",
        "tty",
        "ulimits",
        "use_api_socket",
        "user",
        "userns_mode",
        "uts",
        "volumes",
        "volumes_from",
        "working_dir",
    ]
)

_MOST_DEPTH = 40

REASONS = ("", "dependency", "cache", "context", "copy", "network", "other")
_FAILED = re.compile(
    r"failed to solve|returned a non-zero code|executor failed running|failed to build\b|did not complete successfully"
    r"|error checking context|COPY failed|ADD failed|unable to prepare context|^ERROR\b|^E: |error: subprocess-exited-with-error",
    re.I,
)
# In this order: what a line says most exactly comes first.
_WHY = (
    (
        "copy",
        re.compile(
            r"(?:COPY|ADD) failed|failed to (?:compute cache key|calculate checksum).*not found|: not found: not found", re.I
        ),
    ),
    (
        "context",
        re.compile(
            r"error checking context|unable to prepare context|failed to read dockerfile|no such file or directory: dockerfile"
            r"|failed to load (?:build )?context|error sending context|failed to send context|no space left on device",
            re.I,
        ),
    ),
    (
        "network",
        re.compile(
            r"temporary failure (?:in name resolution|resolving)|could not resolve|name or service not known|i/o timeout"
            r"|connection (?:timed out|refused|reset)|TLS handshake timeout|ReadTimeoutError|ETIMEDOUT|ENOTFOUND|EAI_AGAIN"
            r"|network is unreachable|max retries exceeded",
            re.I,
        ),
    ),
    (
        "cache",
        re.compile(
            r"hash sum mismatch|E: failed to fetch .*404|404 +not found \[IP|parent snapshot .* does not exist"
            r"|do not match the hashes|failed to get (?:layer|cache)|layer does not exist|failed to import cache"
            r"|EINTEGRITY|checksum mismatch|cache .*(?:corrupt|stale)",
            re.I,
        ),
    ),
    (
        "dependency",
        re.compile(
            r"no matching distribution found|could not find a version that satisfies|ResolutionImpossible|conflicting depend"
            r"|unable to locate package|has no installation candidate|npm ERR!|ERESOLVE|subprocess-exited-with-error"
            r"|could not build wheels|failed building wheel|ModuleNotFoundError|version solving failed|unmet dependencies",
            re.I,
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class ComposeFile:
    """`line` and `key`: of what is wrong, or of the obsolete `version` when nothing is. `message`: why it does not parse."""

    parses: bool
    unknown_key: bool = False
    obsolete_version: bool = False
    line: int = 0
    key: str = ""
    message: str = ""


def read_compose(text: str) -> ComposeFile:
    """A Compose file: is it YAML of the right shape, and is there a key that Compose does not know?"""
    try:
        if _depth(text) > _MOST_DEPTH:
            return ComposeFile(False, line=1, message=f"it is nested deeper than {_MOST_DEPTH} levels")
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        return ComposeFile(False, line=line, message=clean(error.problem or "not valid YAML", 120))
    except yaml.YAMLError:
        return ComposeFile(False, line=1, message="it holds a character that YAML does not allow")
    if not isinstance(root, yaml.MappingNode):
        return ComposeFile(False, line=1, message="it holds no mapping")
    twice = _first_twice(root)
    if twice is not None:
        return ComposeFile(False, line=_line(twice), key=_name(twice), message=f"the key {_name(twice)} is there twice")
    versions = [key for key, _ in root.value if key.value == "version"]
    unknown = _unknown(root)
    if unknown is not None:
        return ComposeFile(True, True, bool(versions), _line(unknown), _name(unknown))
    for key, value in root.value:
        if key.value == "services" and not isinstance(value, yaml.MappingNode):
            return ComposeFile(False, line=_line(key), key="services", message="services holds no mapping")
    if versions:
        return ComposeFile(True, False, True, _line(versions[0]), "version")
    return ComposeFile(True)


def _depth(text: str) -> int:
    """How deep the text nests, by its events: composing one that nests without end would overflow the stack."""
    depth = deepest = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        deepest = max(deepest, depth)
        if deepest > _MOST_DEPTH:
            break
    return deepest


def _unknown(root: Any) -> Any:
    for key, value in root.value:
        if not _known(key, _TOP):
            return key
        if key.value != "services" or not isinstance(value, yaml.MappingNode):
            continue
        for _, service in value.value:
            for inner, _ in service.value if isinstance(service, yaml.MappingNode) else ():
                if not _known(inner, _SERVICE):
                    return inner
    return None


def _known(key: Any, names: frozenset[str]) -> bool:
    # << merges another mapping in: what that brings is looked at where it stands.
    return isinstance(key, yaml.ScalarNode) and (key.value in names or key.value.startswith("x-") or key.value == "<<")


def _first_twice(node: Any) -> Any:
    """The first key that a mapping holds twice, depth first; an anchor that is used often is looked at once."""
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, yaml.MappingNode):
            names: set[str] = set()
            for key, value in current.value:
                if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                    if key.value in names:
                        return key
                    names.add(key.value)
                waiting.append(value)
        elif isinstance(current, yaml.SequenceNode):
            waiting += current.value
    return None


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1


def _name(node: Any) -> str:
    return clean(str(node.value), 80) if isinstance(node, yaml.ScalarNode) else "?"


def build_failure(log: str) -> tuple[bool, str, str]:
    """Whether a build's log tells of a failure, why (one of REASONS), and the line that says so."""
    lines = [line.rstrip() for line in log.splitlines() if line.strip()]
    failing = [line for line in lines if _FAILED.search(line)]
    if not failing:
        return False, "", ""
    # The cause stands above the line with which the builder gives up; of several, the most exact kind counts.
    for reason, pattern in _WHY:
        telling = [line for line in lines if pattern.search(line)]
        if telling:
            return True, reason, clean(telling[-1].strip(), 200)
    return True, "other", clean(failing[-1].strip(), 200)


class Ignored:
    """What a `.dockerignore` leaves out of the context: patterns from the root, `**`, exceptions by `!`, the last that fits."""

    def __init__(self, text: str) -> None:
        self._rules: list[tuple[bool, re.Pattern[str]]] = []
        for line in text.splitlines():
            words = line.strip()
            if not words or words.startswith("#"):
                continue
            keep = words.startswith("!")
            pattern = words.removeprefix("!").strip().strip("/").removeprefix("./")
            if pattern:
                self._rules.append((not keep, re.compile(_as_regex(pattern.split("/")))))

    def __call__(self, path: str) -> bool:
        """Whether a file, by its path from the root, stays out."""
        out = False
        for leaves_out, pattern in self._rules:
            if pattern.match(path):
                out = leaves_out
        return out


def _as_regex(parts: Sequence[str]) -> str:
    """A pattern fits a file and, when it names a folder, all that is under it (Go's filepath.Match with `**`)."""
    done = ""
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            done += ".*" if last else "(?:[^/]+/)*"
            continue
        done += _part(part) + ("" if last else "/")
    return f"{done}(?:/|$)"


def _part(part: str) -> str:
    result, at = "", 0
    while at < len(part):
        character = part[at]
        end = part.find("]", at + 2) if character == "[" else -1
        if character == "*":
            result += "[^/]*"
        elif character == "?":
            result += "[^/]"
        elif end > 0:
            inside = part[at + 1 : end].replace("\\", "\\\\")
            result += f"[{inside}]"
            at = end
        elif character == "\\" and at + 1 < len(part):
            at += 1
            result += re.escape(part[at])
        else:
            result += re.escape(character)
        at += 1
    return result
