"""The planner's database."""
