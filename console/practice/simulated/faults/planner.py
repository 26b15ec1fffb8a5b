"""What can be broken in the system planner."""

from console.practice.simulated.faults.fault import Fault

FAULTS: dict[str, Fault] = {}
