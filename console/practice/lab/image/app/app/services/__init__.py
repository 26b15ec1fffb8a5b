"""The planner's services."""
