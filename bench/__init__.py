"""What Triage costs, always as a ratio against a peer measured in the same run. Needs the lab: `triage lab up`."""
