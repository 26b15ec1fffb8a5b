"""Pieces that several simulated systems stand among: the deployment's folder, certificates, the machine's own programs."""

import ssl
from collections.abc import Mapping, Sequence

from console.practice.simulated.proxy import Bystander
from console.practice.simulated.world import World

DAY_S = 86_400.0
_END = "-----END CERTIFICATE-----"


def settings_of(world: World, environment: Mapping[str, str]) -> str:
    """An environment as the lines of a `.env` file."""
    return "".join(f"{name}={value}\n" for name, value in world.own_words(environment).items())


def folder_of(world: World, name: str) -> str:
    """The path of a configured folder on the simulated machine; empty when it is not configured."""
    folder = world.config.folders.get(name)
    return folder.path if folder is not None else ""


def write_project(world: World, files: Mapping[str, str]) -> None:
    """Put the deployment's folder (`project` of the config) on the machine, with these files."""
    root = folder_of(world, "project")
    if not root:
        return
    at = world.now - 12 * DAY_S
    world.machine.folder(root, owner="deploy", at=at)
    for name, text in files.items():
        world.machine.write(f"{root}/{name}", text, owner="deploy", mode=0o600 if name == ".env" else 0o644, at=at)


def write_certificate(
    world: World,
    name: str,
    *,
    ends_in_days: float = 61.0,
    intermediate: bool = True,
    names: Sequence[str] = (),
    served: bool = True,
) -> None:
    """Let a configured certificate stand in its file and, `served`, be shown at its address; `names`: what it is made for,
    instead of the name that it should hold."""
    from console.practice.simulated.certificates import authority, make_chain, pem

    wanted = world.config.certificates.get(name)
    if wanted is None:
        return
    host = wanted.address.rpartition(":")[0]
    usual = tuple(dict.fromkeys(name for name in (wanted.name, host, "localhost") if name))
    chain = make_chain(names or usual, world.now - 29 * DAY_S, world.now + ends_in_days * DAY_S, intermediate=intermediate)
    at = world.now - 29 * DAY_S
    if wanted.address and served:
        world.network.certificates[wanted.address] = chain
    if wanted.file:
        world.machine.write(wanted.file, pem(chain), at=at)
    if wanted.authority:
        world.machine.write(wanted.authority, pem([authority()]), at=at)


def serve_certificate(world: World, name: str, role: str = "proxy") -> None:
    """Let a role show the configured certificate that stood in its file when it was started last."""
    wanted, program = world.config.certificates.get(name), world.role(role).program
    if wanted is None or not isinstance(program, Bystander):
        return

    def read() -> None:
        file = world.machine.files.get(wanted.file)
        blocks = file.text().split(_END)[:-1] if file is not None else []
        world.network.certificates[wanted.address] = [ssl.PEM_cert_to_DER_cert(f"{block.strip()}\n{_END}\n") for block in blocks]

    program.reads = read
