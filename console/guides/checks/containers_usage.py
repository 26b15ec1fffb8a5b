"""What containers use: processor and memory of each, and which process inside one is behind it."""

import asyncio

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, Facts, FactType, FactValue, Findings
from console.guides.checks.commands import container_name, docker
from console.guides.checks.containers import services
from console.guides.checks.words import size
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.reading import Failure, SourceError
from console.sources.protocols.engine import Container, ContainerProcess, State, Usage
from console.text import clean

MEASURING_S = 4.0
"""An engine with many containers takes seconds between two samples of one."""
_SHOWN = 8


class UsageParameters(Parameters):
    roles: tuple[str, ...] = ()
    """Whose containers; none: those of the start order."""


class ProcessesParameters(Parameters):
    role: str


async def _usage(readings: Readings, parameters: UsageParameters) -> Findings:
    running = [
        item for item in (await services(readings, parameters.roles)).values() if item is not None and item.state is State.RUNNING
    ]
    results = await asyncio.gather(*(_sampled(readings, item) for item in running))
    unread = tuple(result for result in results if isinstance(result, Failure))
    used = [(item, result) for item, result in zip(running, results, strict=True) if isinstance(result, Usage)]
    hot = [(usage.cpu_percent, item) for item, usage in used if usage.cpu_percent is not None]
    full = [(usage.memory_percent, item) for item, usage in used if usage.memory_percent is not None]
    if not hot and not full:
        if unread:
            raise SourceError(unread[0].kind, unread[0].message, unread[0].advice)
        return Findings({}, "None of these containers runs, so they use nothing.")
    facts: dict[str, FactValue] = {}
    headline = []
    if hot:
        cpu, hottest = max(hot, key=lambda pair: pair[0])
        facts |= {"cpu_percent": round(cpu, 1), "hottest": clean(hottest.name)}
        headline.append(f"{clean(hottest.name)} uses most processor time, {cpu:.0f} % of a core")
    if full:
        memory, fullest = max(full, key=lambda pair: pair[0])
        limited = fullest.memory_limit_bytes is not None
        facts |= {"memory_percent": round(memory, 1), "fullest": clean(fullest.name), "limited": limited}
        of = "its memory limit" if limited else "the machine's memory (it has no limit)"
        headline.append(f"{clean(fullest.name)} is fullest, {memory:.0f} % of {of}")
    return Findings(facts, f"{'; '.join(headline)}.", tuple(_line(item, usage) for item, usage in used), unread)


async def _sampled(readings: Readings, container: Container) -> Usage | Failure:
    """What a container uses; waits for the engine's second sample when there is none yet."""
    known = (await readings.containers()).usage.get(container.id)
    if known is not None and known.cpu_percent is not None:
        return known
    engine = readings.system.need_engine()
    try:
        return await readings.share(("usage", container.id), lambda: engine.usage(container.name))
    except SourceError as error:
        return error.failure


def _line(container: Container, usage: Usage) -> str:
    cpu = f"{usage.cpu_percent:.0f} % of a core" if usage.cpu_percent is not None else "processor time unknown"
    memory = f"{size(usage.memory_used_bytes)}" if usage.memory_used_bytes is not None else "memory unknown"
    if usage.memory_percent is not None:
        of = size(usage.memory_limit_bytes or 0) if container.memory_limit_bytes else "the machine's memory, no limit"
        memory += f" ({usage.memory_percent:.0f} % of {of})"
    return f"{clean(container.name)}: {cpu}, {memory}"


async def _processes(readings: Readings, parameters: ProcessesParameters) -> Findings:
    name = readings.system.container(parameters.role)
    engine = readings.system.need_engine()
    found = await readings.share(("top", name), lambda: engine.processes(name))
    if not found:
        return Findings({"count": 0}, f"No process runs in {clean(name)}.")
    top = max(found, key=lambda process: process.cpu_percent or 0.0)
    facts: Facts = {
        "count": len(found),
        "top_cpu_percent": top.cpu_percent,
        "top_command": top.command,
        "top_pid": top.pid,
    }
    share = f"{top.cpu_percent:.0f} %" if top.cpu_percent is not None else "an unknown share"
    count = f"{len(found)} {'process' if len(found) == 1 else 'processes'}"
    headline = f"{count} in {clean(name)}; busiest, {share} of a core: {top.command}"
    return Findings(facts, clean(headline, 200), tuple(map(_process_line, found[:_SHOWN])))


def _process_line(process: ContainerProcess) -> str:
    share = f"{process.cpu_percent:.1f} %" if process.cpu_percent is not None else "?"
    memory = size(process.memory_bytes) if process.memory_bytes is not None else "?"
    return clean(f"pid {process.pid}  {share}  {memory}  {process.command}", 200)


def _usage_command(config: SystemConfig, parameters: UsageParameters) -> str:
    roles = parameters.roles or tuple(role for role in config.order if role in config.roles)
    return docker(config, "stats", "--no-stream", *(container_name(config, role) for role in roles))


CHECKS = (
    Check(
        name="containers.usage",
        title="How much processor time and memory do the containers use?",
        parameters=UsageParameters,
        facts=(
            Fact("cpu_percent", FactType.NUMBER, "of one core, of the container that uses most", "%"),
            Fact("memory_percent", FactType.NUMBER, "of its limit (or the machine's memory), of the fullest container", "%"),
            Fact("hottest", FactType.TEXT, "the container that uses most processor time"),
            Fact("fullest", FactType.TEXT, "the container whose memory is fullest"),
            Fact("limited", FactType.BOOL, "the fullest container has a memory limit"),
        ),
        command=_usage_command,
        make=_usage,
        ahead=False,
        more_s=MEASURING_S,
    ),
    Check(
        name="containers.processes",
        title="Which processes run in the container?",
        parameters=ProcessesParameters,
        facts=(
            Fact("count", FactType.NUMBER, "processes"),
            Fact("top_cpu_percent", FactType.NUMBER, "of one core over its whole life, of the busiest process", "%"),
            Fact("top_command", FactType.TEXT, "its command line"),
            Fact("top_pid", FactType.NUMBER, "its number on the machine"),
        ),
        command=lambda config, parameters: docker(
            config, "top", container_name(config, parameters.role), "-eo", "pid,pcpu,rss,args"
        ),
        make=_processes,
    ),
)
