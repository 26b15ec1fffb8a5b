"""The systems that the simulated stack can be, one module each."""

from importlib import import_module

from console.config import SystemConfig
from console.practice.simulated.blueprint import Blueprint

NAMES = ("sms", "planner", "dotmac", "sovd")


def blueprint_name(config: SystemConfig) -> str | None:
    """Which of them a configured system is: by its name, else by its guides; None when it is none of them."""
    candidates = (config.name, *(guide.removesuffix("ops") for guide in config.guides))
    return next((name for name in candidates if name in NAMES), None)


def blueprint_of(name: str) -> Blueprint:
    """The blueprint by its name; only its module is imported."""
    found: Blueprint = import_module(f"{__name__}.{name}").BLUEPRINT
    return found
