"""The practice lab's Student Management backend."""
