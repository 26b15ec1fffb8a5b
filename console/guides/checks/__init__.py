"""Typed questions asked of the system, read-only by construction. One small file a family; this file is the registry."""

from console.guides.checks.check import Check, Fact, FactType, Findings, Outcome, run_check
from console.guides.checks.registry import FAMILIES, checks_of, find_check

__all__ = ["FAMILIES", "Check", "Fact", "FactType", "Findings", "Outcome", "checks_of", "find_check", "run_check"]
