"""Faults of what a deployment is made with: its web server's certificate, the files of its Compose project."""

from datetime import UTC, datetime, timedelta

from console.practice.lab.certificates import Served, authority, issue
from console.practice.lab.fault import LabFault, Notes
from console.practice.lab.spec import MIB, Service
from console.practice.lab.systems.planner import NAMES
from console.practice.lab.target import Target
from console.state import write_private

BIG_FILE = "training-data.bin"
END = "-----END CERTIFICATE-----\n"


def certificate(
    identity: str, title: str, days: tuple[int, int], names: tuple[str, ...] = NAMES, *, whole: bool = True
) -> LabFault:
    """Another certificate for the web server, from so many days from now until so many; `whole`: with its intermediate."""
    inside, key = "/etc/nginx/ssl/cert.pem", "/etc/nginx/ssl/key.pem"

    def serve(target: Target, chain: str, private: str) -> None:
        target.write(Service.PROXY, inside, chain.encode())
        target.write(Service.PROXY, key, private.encode())
        target.project_file("cert.pem").write_text(chain, encoding="utf-8")
        target.start(Service.PROXY)
        target.must(Service.PROXY, "nginx", "-c", "/lab/nginx.conf", "-s", "reload")

    def inject(target: Target, _notes: Notes) -> None:
        now = datetime.now(UTC)
        made: Served = issue(authority(target.secret), names, now + timedelta(days=days[0]), now + timedelta(days=days[1]))
        chain = made.chain if whole else made.chain.partition(END)[0] + END
        serve(target, chain, made.key)

    def bites(target: Target, _notes: Notes) -> bool:
        return target.read(Service.PROXY, inside).decode() != target.spec(Service.PROXY).files[inside]

    def undo(target: Target, _notes: Notes) -> None:
        files = target.spec(Service.PROXY).files
        serve(target, files[inside], files[key])

    return LabFault(identity, title, inject, bites, undo)


def _folder(target: Target) -> Notes:
    return {"folder": str(target.project_file("").resolve())}


def project_file(identity: str, title: str, name: str, text: str) -> LabFault:
    """Another text in a file of the Compose project on this machine."""

    def prepare(target: Target) -> Notes:
        path = target.project_file(name)
        return {"text": path.read_text(encoding="utf-8")} if path.exists() else {}

    def undo(target: Target, notes: Notes) -> None:
        path = target.project_file(name)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            return
        if "text" in notes:
            path.write_text(notes["text"], encoding="utf-8")
        else:
            path.unlink()

    return LabFault(
        identity,
        title,
        inject=lambda target, _: write_private(target.project_file(name), text),
        bites=lambda target, _: target.project_file(name).read_text(encoding="utf-8") == text,
        undo=undo,
        prepare=prepare,
        inputs=_folder,
    )


def large_context(identity: str, title: str) -> LabFault:
    """A file of 600 MiB in the folder that the image is built from."""

    def inject(target: Target, _notes: Notes) -> None:
        with target.project_file(BIG_FILE).open("wb") as file:
            file.truncate(600 * MIB)  # It holds no blocks: nobody's disk fills.

    return LabFault(
        identity,
        title,
        inject,
        bites=lambda target, _: target.project_file(BIG_FILE).stat().st_size > 500 * MIB,
        undo=lambda target, _: target.project_file(BIG_FILE).unlink(missing_ok=True),
        inputs=_folder,
    )
