"""The lab: a real, throw-away stack in containers that Triage made itself, and the faults that can be put into it."""
