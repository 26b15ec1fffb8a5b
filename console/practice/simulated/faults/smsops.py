"""What can be broken in the operation of the student management system."""

from console.practice.simulated.faults.fault import Fault

FAULTS: dict[str, Fault] = {}
