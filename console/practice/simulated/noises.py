"""What looks suspicious on a simulated stack and is harmless: nothing that a user does gets worse by it, no walk may name it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import Final

from console.practice.simulated.container import Load, SimulatedContainer
from console.practice.simulated.log import Log, stamp
from console.practice.simulated.machine import Process
from console.practice.simulated.network import Site
from console.practice.simulated.proxy import Bystander
from console.practice.simulated.volume import MIB
from console.practice.simulated.world import World

STATUS_SITE: Final = "https://status.transit.example/"
"""Somebody else's service, which the stack looks at and does not need."""
NEIGHBOUR: Final = "metrics-exporter"


@dataclass(frozen=True, slots=True)
class Noise:
    """`apply` begins it; `onset_s`: so long before the first look, where it is to be under way by then."""

    title: str
    apply: Callable[[World], None]
    onset_s: float = 60.0


def _repeat(every_s: float, act: Callable[[World], None], times: int) -> Callable[[World], None]:
    """Let something happen again and again, the first time at once."""

    def again(world: World, left: int = times) -> None:
        act(world)
        if left > 1:
            world.later(every_s, lambda later: again(later, left - 1))

    return again


def _slow_job(world: World) -> None:
    """The machine packs its own archive, with the lowest priority."""
    job = Process(
        21_377, "tar", "nice -n 19 tar -czf /var/backups/etc-weekly.tar.gz /etc /var/lib/dpkg", "root", 24 * MIB, 31.0, world.now
    )
    world.machine.processes.append(job)

    def done(later: World) -> None:
        if job in later.machine.processes:
            later.machine.processes.remove(job)

    world.later(480.0, done)
    _say_weekly(world)


def _say_weekly(world: World) -> None:
    role = "backup" if "backup" in world.config.roles else "backend"
    text = "Weekly archive of the machine's settings is being packed; this takes some minutes"
    world.log(role).out(world.now, f"{stamp(world.now)} INFO [archive] {text}")


def _log_noise(world: World) -> None:
    """Somebody left the level of one module too low: lines that say nothing."""
    queue = cycle((0, 2, 1, 0, 4, 1))

    def talk(later: World) -> None:
        for text in (
            "heartbeat: worker 1 alive, 0 tasks waiting",
            f"heartbeat: queue length {next(queue)}, nothing stuck",
            "scheduler woke up, nothing to do, going back to sleep",
        ):
            later.backend.say(later.now, "WARNING", "scheduler", text)

    _repeat(4.0, talk, 150)(world)


def _restart_neighbour(world: World) -> None:
    """Somebody updated a helper beside the system that only watches: it has just been started."""
    log = Log()
    greeting = 'level=info msg="Listening on" address=[::]:9187'
    neighbour = SimulatedContainer(
        id=f"{0x7E1A << 240:064x}",
        name=NEIGHBOUR,
        image="prometheuscommunity/postgres-exporter:v0.15.0",
        program=Bystander(log, greeting, Load(0.4, 17 * MIB, 300, 900, 6)),
        log=log,
        labels=dict(next((item.labels for item in world.containers.values()), {})),
        created_at=world.now - 1,
        memory_limit_bytes=64 * MIB,
        container_port=9187,
        command=("postgres_exporter",),
        network=world.blueprint.network,
        address="172.18.0.40",
    )
    if world.containers:
        world.containers[NEIGHBOUR] = neighbour
    else:
        world.machine.processes.append(
            Process(22_018, "postgres_expor", "/usr/bin/prometheus-postgres-exporter", "prometheus", 17 * MIB, 0.4, world.now)
        )
    log.out(world.now, 'level=warn msg="Received SIGTERM, shutting down" signal=terminated')
    neighbour.start(world.now)


def _deprecation_warnings(world: World) -> None:
    """A library of the service announces what its next release will not have any more."""
    old = (
        "DeprecationWarning: datetime.utcnow() is deprecated and scheduled for removal in a future version",
        "DeprecationWarning: ssl.PROTOCOL_TLS is deprecated",
        "PendingDeprecationWarning: the positional argument 'encoding' will become keyword-only",
    )
    texts = cycle(old)

    def warn(later: World) -> None:
        later.backend.say(later.now, "WARNING", "py.warnings", f"{later.backend.service.folder}/api.py:31: {next(texts)}")

    _repeat(7.0, warn, 90)(world)


def _cool_cache(world: World) -> None:
    """A job tidied some of the pages away in Redis: they are read once more and stored again."""
    world.cache.cool(world.now)
    world.backend.say(world.now, "INFO", "cache", "Tidied 214 pages of last week out of the cache")


def _bump_traffic(world: World) -> None:
    """The lunch break: half as many requests again, and less by and by."""

    def ask_more(times: float) -> Callable[[World], None]:
        def change(later: World) -> None:
            later.traffic.factor *= times

        return change

    for after_s, times in ((0.0, 1.25), (30.0, 1.2), (150.0, 1 / 1.2), (240.0, 1 / 1.25)):
        world.later(after_s, ask_more(times))


def _old_errors(world: World) -> None:
    """The night's errors stand in a summary that is written each morning; they are over and done with."""
    day = stamp(world.now - 86_400)[:10]
    for text in (
        f"Digest of {day}: 3 jobs failed and were repeated with success",
        f"Digest of {day}: 02:14:51 mail digest, server answered late; sent at 02:20:03",
        f"Digest of {day}: 02:31:07 export of the archive, interrupted; done at 03:00:11",
    ):
        world.backend.say(world.now, "WARNING", "digest", text)
    world.cache.errors["WRONGTYPE"] = world.cache.errors.get("WRONGTYPE", 0) + 12


def _flap_third_party(world: World) -> None:
    """The probe of somebody else's timetable comes and goes; the service shows a note in its place when it is away."""
    site = world.network.sites.setdefault(
        STATUS_SITE, Site(headers={"content-type": "application/json"}, body='{"status": "ok"}')
    )
    states = cycle(("timeout", "", "timeout", "timeout", ""))

    def flap(later: World) -> None:
        site.down = next(states)
        told = (
            f"probe of {STATUS_SITE}: no answer for 5 s, its tile is hidden" if site.down else f"probe of {STATUS_SITE}: is back"
        )
        later.backend.say(later.now, "WARNING" if site.down else "INFO", "tiles", told)

    _repeat(21.0, flap, 40)(world)


NOISES: Final[Mapping[str, Noise]] = {
    "slow-job": Noise("A job of the machine's own runs for minutes", _slow_job),
    "log-noise": Noise("A module logs much and says nothing", _log_noise),
    "restarted-neighbour": Noise("A helper that nobody needs has just been restarted", _restart_neighbour, 40.0),
    "deprecation-warnings": Noise("A library warns of its next release", _deprecation_warnings, 300.0),
    "cold-cache": Noise("Some pages are not in the cache any more", _cool_cache, 20.0),
    "traffic-bump": Noise("More requests than usual, for some minutes", _bump_traffic),
    "old-errors": Noise("A summary tells of the night's errors", _old_errors, 30.0),
    "flapping-probe-of-a-third-party": Noise("The probe of somebody else's service comes and goes", _flap_third_party, 240.0),
}
"""By the name under which a scenario asks for it."""
