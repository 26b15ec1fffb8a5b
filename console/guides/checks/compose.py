"""Docker Compose and image builds: the version, the file, what is sent to the builder, and how the last build ended."""

import asyncio
from collections import Counter
from pathlib import PurePosixPath

from pydantic import Field

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, Facts, FactType, Findings
from console.guides.checks.commands import on_machine
from console.guides.checks.compose_rules import FILE_NAMES, REASONS, Ignored, build_failure, read_compose
from console.guides.checks.containers import NoParameters
from console.guides.checks.files import checked_path, folder_config
from console.guides.checks.machine import machine
from console.guides.checks.words import number, size
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.reading import FailureKind, SourceError
from console.text import clean

OLDEST = (2, 0)
TOO_LARGE_BYTES = 500 * 2**20
MOST_FILES = 100_000
_MOST_BYTES = 256 * 1024
_TOOLS = (("docker", "compose", "version", "--short"), ("docker-compose", "version", "--short"))
_SHOWN = 6


class FolderParameters(Parameters):
    folder: str = Field(min_length=1)
    """A configured folder, by name, or an absolute path."""


class BuildLogParameters(FolderParameters):
    file: str = Field(default="build.log", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")


def folder_path(config: SystemConfig, folder: str) -> str:
    return checked_path(folder) if folder.startswith("/") else folder_config(config, folder).path.rstrip("/")


async def _version(readings: Readings, _parameters: NoParameters) -> Findings:
    host, said = machine(readings), list[str]()
    for argv in _TOOLS:
        try:
            code, stdout, stderr = await host.run(argv, timeout_s=2.0)
        except SourceError as error:
            if error.failure.kind is not FailureKind.MISSING:
                raise
            said.append(f"{argv[0]}: not there")
            continue
        version = clean(stdout.strip(), 40)
        numbers = version.removeprefix("v").split(".")
        if code == 0 and len(numbers) > 1 and all(part.isdigit() for part in numbers[:2]):
            found = (int(numbers[0]), int(numbers[1]))
            facts: Facts = {"installed": True, "version": version, "major": found[0], "too_old": found < OLDEST}
            old = f", which is older than {OLDEST[0]}.{OLDEST[1]}" if found < OLDEST else ""
            return Findings(facts, f"Docker Compose {version} is installed{old}.", (f"{' '.join(argv)}: {version}",))
        said.append(f"{' '.join(argv)}: {clean((stderr or stdout).strip(), 120) or f'exit code {code}'}")
    facts = {"installed": False, "version": "", "major": 0, "too_old": False}
    return Findings(facts, "Docker Compose is not installed.", tuple(said))


async def _read(readings: Readings, path: str) -> str | None:
    """A small file; None when there is none. One that is larger than what is read is not understood by its end: GARBAGE."""
    host = machine(readings)
    entry = await readings.share(("entry", path), lambda: host.file(path))
    if entry is None or entry.is_folder:
        return None
    if entry.size_bytes > _MOST_BYTES:
        raise SourceError(FailureKind.GARBAGE, f"{clean(path)} is larger than {size(_MOST_BYTES)}.", "Is this the right folder?")
    return (await readings.share(("file", path), lambda: host.read(path, most_bytes=_MOST_BYTES))).decode("utf-8", "replace")


async def _file(readings: Readings, parameters: FolderParameters) -> Findings:
    path = folder_path(readings.system.config, parameters.folder)
    texts = await asyncio.gather(*(_read(readings, f"{path}/{name}") for name in FILE_NAMES))
    name, text = next(((name, text) for name, text in zip(FILE_NAMES, texts, strict=True) if text is not None), ("", ""))
    if not name:
        nothing: Facts = {"found": False, "parses": False, "unknown_key": False, "obsolete_version": False, "line": 0, "key": ""}
        return Findings(nothing, f"There is no Compose file in {clean(path)}.", (f"looked for {', '.join(FILE_NAMES)}",))
    found = read_compose(text)
    facts: Facts = {
        "found": True,
        "parses": found.parses,
        "unknown_key": found.unknown_key,
        "obsolete_version": found.obsolete_version,
        "line": found.line,
        "key": found.key,
    }
    where = f"{clean(path)}/{name}"
    shown = _around(text, found.line)
    if not found.parses:
        return Findings(facts, f"{where} does not parse, line {found.line}: {found.message}.", shown)
    if found.unknown_key:
        return Findings(facts, f"{where}, line {found.line}: Compose does not know the key {found.key}.", shown)
    if found.obsolete_version:
        return Findings(facts, f"{where} parses; its `version` is obsolete and ignored.", shown)
    return Findings(facts, f"{where} parses.", ())


def _around(text: str, line: int) -> tuple[str, ...]:
    """The line with two before and one after, numbered. Compose files hold passwords: clean hides them."""
    lines = text.splitlines()
    first = max(1, line - 2)
    return tuple(clean(f"{at:>4}  {lines[at - 1]}", 160) for at in range(first, min(len(lines), line + 1) + 1)) if line else ()


async def _context(readings: Readings, parameters: FolderParameters) -> Findings:
    path, host = folder_path(readings.system.config, parameters.folder), machine(readings)
    entry = await readings.share(("entry", path), lambda: host.file(path))
    if entry is None or not entry.is_folder:
        facts: Facts = {"found": False, "context_bytes": 0, "too_large": False, "has_ignore": False, "biggest": ""}
        return Findings(facts, f"There is no folder {clean(path)}.")
    patterns, files = await asyncio.gather(
        _read(readings, f"{path}/.dockerignore"),
        readings.share(("folder", path, MOST_FILES), lambda: host.folder(path, most=MOST_FILES)),
    )
    left_out, sizes = Ignored(patterns or ""), Counter[str]()
    for item in files:
        inside = item.path.removeprefix(path).lstrip("/")
        if not left_out(inside):
            sizes[PurePosixPath(inside).parts[0]] += item.size_bytes
    total = sum(sizes.values())
    # Where not all files were counted, what was counted is the least that there is.
    whole = len(files) < MOST_FILES
    too_large = total > TOO_LARGE_BYTES
    ordered = sizes.most_common(_SHOWN)
    facts = {
        "found": True,
        "context_bytes": total,
        "too_large": too_large if whole or too_large else None,
        "has_ignore": patterns is not None,
        "biggest": clean(ordered[0][0], 100) if ordered else "",
    }
    lines = [f"{clean(name, 80)}  {size(used)}" for name, used in ordered]
    lines.append(".dockerignore is there" if patterns is not None else "there is no .dockerignore")
    words = "" if whole else "at least "
    return Findings(facts, f"The build context is {words}{size(total)} in {number(len(files), 'file')}.", tuple(lines))


async def _build_log(readings: Readings, parameters: BuildLogParameters) -> Findings:
    host, path = machine(readings), f"{folder_path(readings.system.config, parameters.folder)}/{parameters.file}"
    try:
        raw = await readings.share(("file", path), lambda: host.read(path, most_bytes=_MOST_BYTES))
    except SourceError as error:
        if error.failure.kind is not FailureKind.MISSING:
            raise
        facts: Facts = {"found": False, "failed": False, "reason": "", "line": ""}
        return Findings(facts, f"There is no {clean(path)}.", ("keep one with: docker build … 2>&1 | tee build.log",))
    text = raw.decode("utf-8", "replace")
    failed, reason, line = build_failure(text)
    facts = {"found": True, "failed": failed, "reason": reason, "line": line}
    last = tuple(clean(item, 200) for item in text.splitlines()[-_SHOWN:])
    return Findings(facts, f"The build failed: {line}" if failed else "The log tells of no failed build.", last)


def _shown_path(config: SystemConfig, folder: str) -> str:
    try:
        return folder_path(config, folder)
    except SourceError:
        return f"<no folder {clean(folder)} configured>"


CHECKS = (
    Check(
        name="compose.version",
        title="Which version of Docker Compose is installed?",
        parameters=NoParameters,
        facts=(
            Fact("installed", FactType.BOOL, "it answers, as a plugin of docker or alone"),
            Fact("version", FactType.TEXT, "as it tells it, empty when it is not there"),
            Fact("major", FactType.NUMBER, "the first number of it, 0 when it is not there"),
            Fact("too_old", FactType.BOOL, "it is older than 2.0"),
        ),
        command=lambda config, _parameters: f"{on_machine(config, *_TOOLS[0])} || {on_machine(config, *_TOOLS[1])}",
        make=_version,
    ),
    Check(
        name="compose.file",
        title="Does the Compose file parse, with keys that Compose knows?",
        parameters=FolderParameters,
        facts=(
            Fact("found", FactType.BOOL, "there is a Compose file in the folder"),
            Fact("parses", FactType.BOOL, "it is YAML of the right shape"),
            Fact("unknown_key", FactType.BOOL, "it holds a key that Compose does not know, at its top or in a service"),
            Fact("obsolete_version", FactType.BOOL, "it holds the obsolete `version`"),
            Fact("line", FactType.NUMBER, "where the first of these stands, 0 when there is none"),
            Fact("key", FactType.TEXT, "that key"),
        ),
        command=lambda config, parameters: on_machine(
            config, "docker", "compose", "--project-directory", _shown_path(config, parameters.folder), "config", "-q"
        ),
        make=_file,
    ),
    Check(
        name="compose.context",
        title="How much is sent to the builder?",
        parameters=FolderParameters,
        facts=(
            Fact("found", FactType.BOOL, "there is such a folder"),
            Fact("context_bytes", FactType.NUMBER, "all that .dockerignore does not leave out", "B"),
            Fact("too_large", FactType.BOOL, "it is more than 500 MiB"),
            Fact("has_ignore", FactType.BOOL, "there is a .dockerignore"),
            Fact("biggest", FactType.TEXT, "the file or folder at its top that takes most"),
        ),
        command=lambda config, parameters: on_machine(config, "du", "-sh", _shown_path(config, parameters.folder)),
        make=_context,
        ahead=False,
        more_s=4.0,
    ),
    Check(
        name="compose.build_log",
        title="How did the last build end?",
        parameters=BuildLogParameters,
        facts=(
            Fact("found", FactType.BOOL, "there is a log of a build"),
            Fact("failed", FactType.BOOL, "it tells of a build that failed"),
            Fact("reason", FactType.TEXT, "why, empty when it did not fail", choices=REASONS),
            Fact("line", FactType.TEXT, "the line that says so"),
        ),
        command=lambda config, parameters: on_machine(
            config, "tail", "-n", "50", f"{_shown_path(config, parameters.folder)}/{parameters.file}"
        ),
        make=_build_log,
    ),
)
