"""What the lab of one system consists of: names, ports, and what each container is created with. Nothing here acts."""

from typing import Any

from console.config import Environment, SystemConfig
from console.practice.lab.errors import LabError
from console.practice.lab.spec import ContainerSpec, LabPlan, Secret, Service, Template
from console.practice.lab.systems import TEMPLATES

SPEC_LABEL = "triage.lab.spec"
COMPOSE_LABEL = "com.docker.compose.service"
SECOND_NS = 1_000_000_000


def lab_plan(name: str, config: SystemConfig) -> LabPlan:
    """The lab of this system; raises LabError for a system that the lab must not or cannot stand in for."""
    if config.environment is not Environment.LAB:
        raise LabError(
            f'The lab is made for systems with environment = "lab"; {name} is {config.environment.value}.',
            "Name another system with --system, or make a system of its own for the lab in config.toml.",
        )
    template = _template(name, config)
    missing = [role for role in template.needs if role not in config.roles]
    if missing:
        raise LabError(
            f"The lab has {_listed(template.needs)}; {name} names no {' and no '.join(missing)}.",
            f"Name them in [systems.{name}.roles], or use the system {template.guide}.",
        )
    names = {service: config.roles.get(service.value) or _name(template, service, name, config) for service in template.services}
    names.update({service: names[home] for service, home in template.shared.items()})
    label, _, value = (config.engine.select.get("label", "") if config.engine else "").partition("=")
    return LabPlan(name, template, names, config.lab, {label: value} if label else {})


def _template(name: str, config: SystemConfig) -> Template:
    for guide in (name, *config.guides):
        if guide in TEMPLATES:
            return TEMPLATES[guide]
    raise LabError(
        f"The lab can stand in for {', '.join(TEMPLATES)}; {name} is none of them and has none of their guides.",
        f"Name one of them in [systems.{name}] guides.",
    )


def _name(template: Template, service: Service, system: str, config: SystemConfig) -> str:
    if service is Service.HOST and config.host.container:
        return config.host.container
    return template.names.get(service, "{system}-" + service.value).format(system=system)


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"a {word}" for word in words[:-1]) + f" and a {words[-1]}"


def container_specs(plan: LabPlan, secret: Secret) -> tuple[ContainerSpec, ...]:
    """All containers of the lab, in the order in which they are started."""
    return plan.template.containers(plan, secret)


def creation(spec: ContainerSpec, plan: LabPlan, image: str) -> dict[str, Any]:
    """The engine's create request for a container (Docker Engine API, `POST /containers/create`)."""
    labels = {**plan.labels, SPEC_LABEL: spec.fingerprint(image)}
    if spec.service in plan.template.compose:
        labels[COMPOSE_LABEL] = plan.template.compose[spec.service]
    request: dict[str, Any] = {
        "Image": image,
        "Cmd": list(spec.command),
        "Hostname": spec.name,
        "Labels": labels,
        "Env": [f"{key}={value}" for key, value in spec.environment.items()],
        "WorkingDir": spec.workdir,
        "StopSignal": spec.stop_signal,
        "StopTimeout": 8,
        "HostConfig": {
            "Init": True,
            # A name that is not there is asked of the machine's resolver once: without one that takes twenty seconds.
            "DnsOptions": ["timeout:1", "attempts:1"],
            "Memory": spec.memory_bytes,
            "MemorySwap": spec.memory_bytes,
            "NetworkMode": plan.network,
            "RestartPolicy": {"Name": spec.restart},
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "20m", "max-file": "2"}},
        },
        "NetworkingConfig": {"EndpointsConfig": {plan.network: {"Aliases": list(spec.aliases)}}},
    }
    if spec.user:
        request["User"] = spec.user
    if spec.health:
        request["Healthcheck"] = {
            "Test": ["CMD", *spec.health],
            "Interval": 3 * SECOND_NS,
            "Timeout": 3 * SECOND_NS,
            "Retries": 3,
            "StartPeriod": 5 * SECOND_NS,
        }
    if spec.ports:
        request["ExposedPorts"] = {f"{port.inside}/{port.protocol}": {} for port in spec.ports}
        request["HostConfig"]["PortBindings"] = {
            f"{port.inside}/{port.protocol}": [{"HostIp": "127.0.0.1", "HostPort": str(port.outside)}] for port in spec.ports
        }
    if spec.mounts:
        request["HostConfig"]["Mounts"] = [
            {"Type": "volume", "Source": plan.volume(mount.volume), "Target": mount.path} for mount in spec.mounts
        ]
    return request
