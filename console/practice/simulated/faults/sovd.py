"""What can be broken in the system sovd."""

from console.practice.simulated.faults.fault import Fault

FAULTS: dict[str, Fault] = {}
