"""What can be broken in a simulated stack, by system: one module a guide, each with its table `FAULTS` by `<issue>.<cause>`."""

from collections.abc import Mapping
from importlib import import_module

from console.config import SystemConfig
from console.practice.simulated.blueprints import NAMES, blueprint_name, blueprint_of
from console.practice.simulated.faults.fault import Fault

HEALTHY = "healthy"
_MODULES = {
    "sms": ("sms", "sms_low", "sms_people", "sms_slow", "smsops"),
    "planner": ("planner", "planner_load", "planner_access"),
    "dotmac": ("dotmac", "dotmac_work"),
    "sovd": ("sovd",),
}


def faults_of(name: str) -> Mapping[str, Fault]:
    """The faults of a blueprint by their ids, `healthy` first."""
    well = Fault(0, lambda world: None, answers=blueprint_of(name).answers)  # noqa: ARG005
    found = {HEALTHY: well}
    for module in _MODULES[name]:
        found |= import_module(f"{__name__}.{module}").FAULTS
    return found


def fault_ids(config: SystemConfig | None = None) -> tuple[str, ...]:
    """Every state that a system's stack can be in: `healthy`, and each fault as `<issue>.<cause>`; of all systems when none is
    named. Empty for a system that no stack plays."""
    names = NAMES if config is None else [name for name in (blueprint_name(config),) if name is not None]
    return tuple(dict.fromkeys(fault for name in names for fault in faults_of(name)))


def replies_of(fault_id: str, config: SystemConfig) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """What the affected user would say: answers by the asking step's id, and inputs by name.

    Raises KeyError for a fault that the system's stack does not have.
    """
    name = blueprint_name(config)
    if name is None:
        raise KeyError(fault_id)
    fault = faults_of(name)[fault_id]
    return fault.answers, {**blueprint_of(name).inputs(config), **fault.inputs}
