"""Faults of sms.c1, complete outage."""

import socket
import subprocess
import sys
from typing import TYPE_CHECKING

from console.practice.lab.fault import LabFault, Notes
from console.practice.lab.old_backups import disk_used_percent, prepare_backups, remove_backups, write_backups
from console.practice.lab.spec import Service
from console.practice.lab.target import Target

if TYPE_CHECKING:
    import psutil

WRONG_HOST_MARK = "# left from a debugging session"
BACKEND_PROCESS = "^python -m backend.main"
DATABASE_PROBE = ("python", "-c", "from backend.db import engine; engine.connect()")


def _freeze(target: Target, _notes: Notes) -> None:
    target.run(Service.BACKEND, "pkill", "-STOP", "-f", BACKEND_PROCESS)


def _thaw(target: Target, _notes: Notes) -> None:
    if target.running(Service.BACKEND):
        target.run(Service.BACKEND, "pkill", "-CONT", "-f", BACKEND_PROCESS)


def _unhealthy(target: Target, _notes: Notes) -> bool:
    return bool(target.inspect(Service.BACKEND)["State"]["Health"]["Status"] == "unhealthy")


def _misroute(target: Target, _notes: Notes) -> None:
    line = f"127.0.0.1 {target.name(Service.DATABASE)} {WRONG_HOST_MARK}"
    target.run(Service.BACKEND, "sh", "-c", f"echo '{line}' >> /etc/hosts")
    target.drop_backend_sessions()


def _cannot_reach(target: Target, _notes: Notes) -> bool:
    cut = target.run(Service.BACKEND, *DATABASE_PROBE).exit_code != 0
    return cut and target.as_user("SELECT 1").exit_code == 0


def _route_back(target: Target, _notes: Notes) -> None:
    if target.running(Service.BACKEND):  # Docker writes the file anew whenever a container starts.
        # The engine mounts /etc/hosts into the container: it can be overwritten, but not replaced.
        script = f"grep -v '{WRONG_HOST_MARK}' /etc/hosts > /tmp/hosts; cat /tmp/hosts > /etc/hosts; rm /tmp/hosts"
        target.run(Service.BACKEND, "sh", "-c", script)


def port_held(identity: str, title: str, service: Service) -> LabFault:
    """A service that is stopped while another process of this machine holds its port."""

    def prepare(target: Target) -> Notes:
        folder = target.folder / "port-holder"
        folder.mkdir(exist_ok=True)
        return {"folder": str(folder), "port": str(target.spec(service).ports[0].outside)}

    def inject(target: Target, notes: Notes) -> None:
        target.stop(service)
        # The engine lets go of the port a moment after it has said that the container is stopped.
        target.wait(lambda: _is_free(int(notes["port"])), f"port {notes['port']} is free", timeout_s=10)
        folder = notes["folder"]
        command = (sys.executable, "-m", "http.server", notes["port"], "--bind", "127.0.0.1", "--directory", folder)
        with (target.folder / "port-holder.log").open("w") as log:
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        target.wait(lambda: _answers(int(notes["port"])), f"port {notes['port']} is held", timeout_s=10)

    def bites(target: Target, _notes: Notes) -> bool:
        from docker.errors import APIError

        try:
            target.start(service)
        except APIError:
            return True
        return False

    def undo(target: Target, notes: Notes) -> None:
        end_holders(notes)
        target.start(service)

    return LabFault(identity, title, inject, bites, undo, prepare)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def end_holders(notes: Notes) -> None:
    """End the processes that hold the port, and wait until they are gone."""
    import psutil

    holders = _holders(notes)
    for process in holders:
        process.terminate()
    _, alive = psutil.wait_procs(holders, timeout=5)
    for process in alive:
        process.kill()


def _holders(notes: Notes) -> list["psutil.Process"]:
    import psutil

    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if notes["folder"] in command and "http.server" in command and process.status() != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


OUTAGE_FAULTS = (
    LabFault(
        "sms.c1.container-down",
        "The backend's container is stopped",
        inject=lambda target, _: target.stop(Service.BACKEND),
        bites=lambda target, _: not target.running(Service.BACKEND),
        undo=lambda target, _: target.start(Service.BACKEND),
    ),
    LabFault(
        "sms.c1.container-unhealthy",
        "The backend's process is frozen; its container runs, but answers no health check",
        inject=_freeze,
        bites=_unhealthy,
        undo=_thaw,
    ),
    LabFault(
        "sms.c1.backend-cannot-reach-database",
        "The backend takes a wrong address for the database, which itself is well",
        inject=_misroute,
        bites=_cannot_reach,
        undo=_route_back,
    ),
    LabFault(
        "sms.c1.disk-nearly-full",
        "Old backups fill the data volume to 95 %",
        prepare=lambda target: prepare_backups(95, target),
        inject=write_backups,
        bites=lambda target, _: disk_used_percent(target) > 93,
        undo=remove_backups,
    ),
    port_held("sms.c1.port-conflict", "The proxy is stopped, and another process holds its port", Service.PROXY),
)
