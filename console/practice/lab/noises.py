"""What looks suspicious on a lab and is harmless: journalled, undone and compared like a fault, and no walk may name it.

Each ends by itself, says nothing where its part does not run, and touches only what carries the lab's label.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from console.practice.lab.fault import LabFault, Notes
from console.practice.lab.people import token
from console.practice.lab.spec import MIB, ContainerSpec, Service
from console.practice.lab.target import Target

LabNoise = LabFault
"""A noise is made and taken back as a fault is; `bites` says that it is under way."""
PREFIX: Final = "noise."
"""Of its id in the journal."""
LASTS_S: Final = 600
ARCHIVE, SCHEDULER, WARNINGS, TILES, LUNCH = "weekly-archive", "scheduler-queue", "library-hints", "timetable-tile", "lunch-break"
"""By these words the processes of a noise are known; nothing else is ended."""
DAY_AGO: Final = "$(date -u -d yesterday +%F)"
COOL: Final = (
    "local gone = 0 for _, key in ipairs(redis.call('keys', '*')) do local left = redis.call('ttl', key) "
    "if left > 0 and left <= 60 and string.sub(key, 1, 8) ~= 'session:' then gone = gone + redis.call('unlink', key) end end "
    "return gone"
)
"""Pages that would be made anew within a minute all the same; what was put there for longer, and sessions, stay."""
BUSIER: Final[Mapping[str, tuple[str, str, float]]] = {
    "sms": ("/api/v1/courses", "", 3),
    "planner": ("/api/v1/programs", "user3/MEMBER", 1.5),
    "dotmac": ("/api/customers?tenant=1", "user3@dotmac.local/staff", 1.5),
    "sovd": ("/api/v1/vehicles", "engineer3/engineer", 1),
}
"""By guide: what a few more people ask for, as whom, and how often a second; below every limit of the service."""


def _now(_target: Target, _notes: Notes) -> bool:
    return True


def _leave(_target: Target, _notes: Notes) -> None:
    """What was said cannot be unsaid, and harms nobody."""


def _loop(act: str, every_s: float, lasts_s: int = LASTS_S) -> str:
    """A shell's loop with an end; `$n` counts from 0."""
    return (
        f"end=$(($(date +%s) + {lasts_s})); n=0; while [ $(date +%s) -lt $end ]; do {act}; n=$((n + 1)); sleep {every_s:g}; done"
    )


def _say(target: Target, level: str, logger: str, *texts: str) -> str:
    """A shell's words that write the next of these lines into the service's log."""
    unit_log = target.unit_log(Service.BACKEND)
    stream = unit_log or f"/proc/1/fd/{1 if level == 'INFO' else 2}"
    lines = " ".join(f'"{text}"' for text in texts)
    return f'set -- {lines}; shift $((n % {len(texts)})); echo "$(date -u +%F\\ %T,%3N) {level} [{logger}] $1" >> {stream}'


def _running(target: Target, *services: Service) -> Service | None:
    """The first of these services that this lab has and that runs; what does not run makes no noise."""
    return next((service for service in services if target.has(service) and target.running(service)), None)


def process(
    name: str,
    title: str,
    word: str,
    script: Callable[[Target], str],
    *services: Service,
    first: Callable[[Target], str] = lambda _: ":",
) -> LabNoise:
    """A process with an end in the first of these services that runs. `first` is done once, before it."""

    def inject(target: Target, _notes: Notes) -> None:
        service = _running(target, *services)
        if service is not None:
            target.leave_running(service, "nice", "-n", "19", "bash", "-c", f"{first(target)}; {script(target)}", word)

    def undo(target: Target, _notes: Notes) -> None:
        for service in services:
            if target.has(service):
                target.kill(service, f" {word}$")

    return LabFault(PREFIX + name, title, inject, _now, undo)


def said(name: str, title: str, script: Callable[[Target], str]) -> LabNoise:
    """Lines in the service's log, once."""

    def inject(target: Target, _notes: Notes) -> None:
        if _running(target, Service.BACKEND):
            target.run(Service.BACKEND, "bash", "-c", script(target))

    return LabFault(PREFIX + name, title, inject, _now, _leave)


def _pack(_target: Target) -> str:
    return _loop("head -c 4M /dev/urandom | gzip > /dev/null", 3, 480)


def _say_pack(_target: Target) -> str:
    text = "INFO [archive] Weekly archive of the settings is being packed; this takes some minutes"
    return f'echo "$(date -u +%F\\ %T,%3N) {text}" > /proc/1/fd/1'


def _talk(target: Target) -> str:
    said = ("heartbeat: worker 1 alive, 0 tasks waiting", "heartbeat: queue length $((n % 3)), nothing stuck")
    return _loop(_say(target, "WARNING", "scheduler", *said, "scheduler woke up, nothing to do, going back to sleep"), 1.5)


def _warn(target: Target) -> str:
    old = (
        "api.py:31: DeprecationWarning: datetime.utcnow() is deprecated and scheduled for removal in a future version",
        "api.py:31: DeprecationWarning: ssl.PROTOCOL_TLS is deprecated",
        "api.py:31: PendingDeprecationWarning: the positional argument 'encoding' will become keyword-only",
    )
    return _loop(_say(target, "WARNING", "py.warnings", *(f"/app/backend/{text}" for text in old)), 7)


def _flap(target: Target) -> str:
    away = "probe of https://status.transit.example/: no answer for 5 s, its tile is hidden"
    back = "probe of https://status.transit.example/: is back"
    return _loop(_say(target, "WARNING", "tiles", away, back, away, away, back), 21)


def _tell_of_the_night(target: Target) -> str:
    lines = (
        f"Digest of {DAY_AGO}: 3 jobs failed and were repeated with success",
        f"Digest of {DAY_AGO}: 02:14:51 mail digest, server answered late; sent at 02:20:03",
        f"Digest of {DAY_AGO}: 02:31:07 export of the archive, interrupted; done at 03:00:11",
    )
    return "; ".join(f"n=0; {_say(target, 'WARNING', 'digest', line)}" for line in lines)


def _ask_more(target: Target) -> str:
    path, user, per_s = BUSIER[target.guide]
    name, _, role = user.partition("/")
    header = f'-H "Authorization: Bearer {token(target.secret("jwt_secret"), name, role)}"' if user else ""
    return _loop(f'curl -s -m 5 -o /dev/null {header} "$TARGET{path}"', 1 / per_s, 240)


def _cool(target: Target, _notes: Notes) -> None:
    if _running(target, Service.CACHE):
        target.run(Service.CACHE, "redis-cli", "eval", COOL, "0")
    if _running(target, Service.BACKEND):
        script = f"n=0; {_say(target, 'INFO', 'cache', 'Tidied the pages of last week out of the cache')}"
        target.run(Service.BACKEND, "bash", "-c", script)


def neighbour(target: Target) -> ContainerSpec:
    """A helper beside the system that only watches: it has just ended and been started again by the engine."""
    script = (
        "if [ -e /tmp/version ]; then echo 'level=info msg=\"Listening on\" address=[::]:9187'; exec sleep infinity; fi; "
        "touch /tmp/version; echo 'level=info msg=\"configuration changed, starting anew\"'"
    )
    usual = target.spec(Service.LOAD)
    name = f"{target.system}-metrics-exporter"
    return replace(
        usual, name=name, command=("sh", "-c", script), aliases=(), environment={}, memory_bytes=48 * MIB, workdir="/", mounts=()
    )


def _came_back(target: Target, _notes: Notes) -> bool:
    found = target.part(neighbour(target).name)
    return found is not None and found["RestartCount"] > 0 and found["State"]["Running"]


_ALL = (
    process(
        "slow-job",
        "A job of the machine's own runs for minutes",
        ARCHIVE,
        _pack,
        Service.BACKUP,
        Service.HOST,
        first=_say_pack,
    ),
    process("log-noise", "A module logs much and says nothing", SCHEDULER, _talk, Service.BACKEND),
    LabFault(
        f"{PREFIX}restarted-neighbour",
        "A helper that nobody needs has just been restarted",
        inject=lambda target, _: target.add_part(neighbour(target)),
        bites=_came_back,
        undo=lambda target, _: target.remove_part(neighbour(target).name),
    ),
    process("deprecation-warnings", "A library warns of its next release", WARNINGS, _warn, Service.BACKEND),
    LabFault(f"{PREFIX}cold-cache", "Some pages are not in the cache any more", _cool, _now, _leave),
    process("traffic-bump", "More requests than usual, for some minutes", LUNCH, _ask_more, Service.LOAD),
    said("old-errors", "A summary tells of the night's errors", _tell_of_the_night),
    process(
        "flapping-probe-of-a-third-party", "The probe of somebody else's service comes and goes", TILES, _flap, Service.BACKEND
    ),
)
NOISES: Final[Mapping[str, LabNoise]] = {noise.id.removeprefix(PREFIX): noise for noise in _ALL}
"""By the name under which a scenario asks for it."""
