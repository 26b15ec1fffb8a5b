"""What can be broken in the system dotmac."""

from console.practice.simulated.faults.fault import Fault

FAULTS: dict[str, Fault] = {}
