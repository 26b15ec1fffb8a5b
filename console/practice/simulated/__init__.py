"""The built-in practice stack: one deterministic world in the process, behind the same protocols as a live system."""
