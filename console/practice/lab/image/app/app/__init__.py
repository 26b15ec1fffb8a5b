"""The planner's package, under the name that its runbook uses."""
