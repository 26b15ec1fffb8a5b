"""Figures as an operator reads them."""

import time


def size(count: float) -> str:
    """Bytes with a binary unit: `1.5 GiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(count) < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def age(seconds: float) -> str:
    """A duration with its one or two largest units: `3 min 20 s`, `2 h 5 min`."""
    left = max(0, round(seconds))
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    parts: list[str] = []
    for name, length in units:
        amount, left = divmod(left, length)
        if amount or parts:
            parts.append(f"{amount} {name}")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if not part.startswith("0 ")) or "0 s"


def clock_time(at: float) -> str:
    """Unix seconds as the local time of day: `10:04:59`."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def number(count: int, thing: str) -> str:
    """`1 session`, `3 sessions`."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def listed(names: tuple[str, ...] | list[str], most: int = 4) -> str:
    """`a, b, c and 5 more`."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"
