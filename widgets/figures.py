"""Numbers as an operator reads them: short, with a unit, and `?` for what is not known."""

UNKNOWN = "?"

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def size(value: float | None) -> str:
    """Bytes: `512 B`, `1.4 GiB`."""
    if value is None:
        return UNKNOWN
    unit = 0
    while abs(value) >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.0f} {_UNITS[unit]}" if unit == 0 or value >= 100 else f"{value:.1f} {_UNITS[unit]}"


def short_size(value: float | None) -> str:
    """Bytes in five cells at most: `1.4G`, `312M`."""
    return UNKNOWN if value is None else size(value).replace("iB", "").replace(" ", "")


def percent(value: float | None) -> str:
    """`3.4%` below ten, `87%` above."""
    if value is None:
        return UNKNOWN
    return f"{value:.1f}%" if value < 9.95 else f"{value:.0f}%"


def seconds(value: float | None) -> str:
    """A latency: `0.8 ms`, `123 ms`, `1.24 s`, `12.5 s`."""
    if value is None:
        return UNKNOWN
    if value < 0.00995:
        return f"{value * 1000:.1f} ms"
    if value < 0.9995:
        return f"{value * 1000:.0f} ms"
    return f"{value:.2f} s" if value < 9.995 else f"{value:.1f} s"


def duration(value: float | None) -> str:
    """A span of time in five cells at most: `45s`, `12m`, `3h20`, `2d4h`, `412d`."""
    if value is None:
        return UNKNOWN
    whole = max(0, int(value))
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 10:
        return f"{minutes}m{rest:02}"
    if minutes < 60:
        return f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h{minutes:02}"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours}h" if days < 10 else f"{days}d"


def uptime(value: float | None) -> str:
    """A duration that ticks seldom: five-second steps below a minute, minutes below an hour. An idle screen costs little."""
    if value is None:
        return UNKNOWN
    whole = max(0, int(value))
    if whole < 60:
        return f"{whole - whole % 5}s"
    return f"{whole // 60}m" if whole < 3600 else duration(value)


def age(value: float | None) -> str:
    """How old something is, in steps of five seconds: a figure that ticks each second costs the line and tells nothing."""
    return "never" if value is None else f"{uptime(value)} ago"


def rate(value: float | None) -> str:
    """Events a second: `0.0`, `3.2`, `128`, `12.4k`."""
    if value is None:
        return UNKNOWN
    if value >= 9_995:
        return f"{value / 1000:.1f}k"
    return f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def count(value: int | None) -> str:
    """`7`, `12,345`, `1.2M`."""
    if value is None:
        return UNKNOWN
    return f"{value:,}" if value < 1_000_000 else f"{value / 1_000_000:.1f}M"
