"""What can be broken in the program planner between a user and what they want to see: network, certificate, login, rights."""

from console.practice.simulated.faults.fault import Fault

FAULTS: dict[str, Fault] = {}
