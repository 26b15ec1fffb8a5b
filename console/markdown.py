"""Markdown that we write: what others called things must not become markup in it."""

import re


def plain(text: str) -> str:
    """Text that breaks no table and is no markup: what a container is called must not become a link."""
    shown = text.replace("\\", "\\\\").replace("\n", " ")
    for sign in "|`*[]":
        shown = shown.replace(sign, f"\\{sign}")
    return re.sub("<(?=[A-Za-z/!?])", r"\\<", shown)
