"""Procedures: what is done on a quiet day or after a loss, step by step, each step checked, confirmed or ticked."""
