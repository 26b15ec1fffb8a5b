"""The colours. Calm where all is well, so that what is not stands out; states are told by glyph and word as well."""

from textual.theme import Theme

TRIAGE = Theme(
    name="triage",
    primary="#5fa8d3",
    secondary="#8fb8a8",
    accent="#c3a6e6",
    foreground="#d4d9df",
    background="#0f1419",
    surface="#0f1419",
    panel="#1b232c",
    success="#7fc77f",
    warning="#e8b04b",
    error="#f0626a",
    dark=True,
)
FEW_COLOURS = "ansi-dark"
"""For terminals with sixteen colours: theirs, not an approximation of ours."""
