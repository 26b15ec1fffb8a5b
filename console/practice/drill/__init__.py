"""Drills: a stack is broken on purpose, the responder is measured, everything is mended and looked back at."""
