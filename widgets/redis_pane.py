"""What Redis holds and does: memory against its limit, hits, evictions, clients, persistence, slow commands."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from console.alarms import Alarm, cache_alarms
from console.severity import Severity, above
from console.sources.protocols.cache import CacheInfo, SlowEntry
from widgets.commands import Scope, bindings
from widgets.figures import count, percent, rate, seconds, size, uptime
from widgets.line import Line, Span, line, marked, severity_style
from widgets.meter import meter
from widgets.pane import Pane


class RedisPane(Pane):
    TITLE = "Redis"
    SOURCE = "Redis"
    FILTERS = "slow commands"
    SCOPES: ClassVar[tuple[Scope, ...]] = (Scope.LIST, Scope.REDIS)
    BINDINGS: ClassVar[list[BindingType]] = bindings(*SCOPES)

    def value_alarms(self, value: CacheInfo) -> list[Alarm]:
        return cache_alarms(value, self.config)

    def summary(self, value: CacheInfo) -> str:
        name = "" if value.server == "redis" else f"{value.server} "
        return f"{name}{value.version}{'' if value.role == 'master' else f' · {value.role}'}"

    def keys(self) -> Sequence[str]:
        return [] if self.value is None else [_key(entry) for entry in self._slow(self.value)]

    def body(self, value: CacheInfo, width: int, height: int) -> Sequence[Line]:
        lines = [self._memory(value, width), *_traffic(value), *_clients(value), _persistence(value, self.clock()), _keys(value)]
        if value.errors:
            found = sorted(value.errors.items(), key=lambda pair: -pair[1])
            words = "  ".join(f"{name} {count(number)}" for name, number in found)
            lines.append(line(Span("errors ", "muted"), Span(words, "warn")))
        slow = {_key(entry): entry for entry in self._slow(value)}
        why = f"  {value.slow_log_failure}" if value.slow_log_failure else ""
        lines.append(line(Span("SLOW LOG", "head"), Span(why, "warn")))
        self.list_top = len(lines)
        shown = self.list_rows(height - len(lines))
        for key, chosen in shown:
            entry = slow[key]
            ago = uptime(self.clock() - entry.at)
            text = (Span(f"{ago:>5} ", "muted"), Span(f"{seconds(entry.duration_s):>8} ", "warn"), Span(entry.command))
            lines.append(line(*text, selected=chosen))
        if not shown and not value.slow_log_failure:
            lines.append(line(Span(f"nothing matches /{self.filter}" if self.filter else "empty", "muted")))
        return lines

    def _memory(self, value: CacheInfo, width: int) -> Line:
        if value.memory_percent is None:
            return line(Span("memory ", "muted"), Span(size(value.used_memory_bytes)), Span(" without a limit", "muted"))
        severity = above(value.memory_percent, self.config.thresholds.memory_percent)
        words = f" {size(value.used_memory_bytes)}/{size(value.max_memory_bytes)}"
        filled = meter(value.memory_percent / 100, max(4, min(20, width - len(words) - 8)))
        return line(Span("memory ", "muted"), Span(filled, severity_style(severity) or "good"), marked(words, severity))

    def _slow(self, value: CacheInfo) -> list[SlowEntry]:
        return [entry for entry in value.slow_log if self.matches(entry.command)]


def _key(entry: SlowEntry) -> str:
    return f"{entry.at}/{entry.duration_s}/{entry.command}"


def _traffic(value: CacheInfo) -> list[Line]:
    evicted = value.evicted_per_s
    return [
        line(
            Span("hit ratio ", "muted"),
            Span("no reads" if value.hit_percent is None and value.hits_per_s is not None else percent(value.hit_percent)),
            Span("  ops/s ", "muted"),
            Span(rate(value.operations_per_s)),
        ),
        line(
            Span("evicted/s ", "muted"),
            Span(rate(evicted), "warn" if evicted else ""),
            Span("  expired/s ", "muted"),
            Span(rate(value.expired_per_s)),
            Span(f"  {value.eviction_policy}", "muted"),
        ),
    ]


def _clients(value: CacheInfo) -> list[Line]:
    limits = f"/{count(value.max_clients)}" if value.max_clients else ""
    blocked, rejected = value.blocked_clients, value.rejected_connections
    return [
        line(
            Span("clients ", "muted"),
            Span(f"{count(value.clients)}{limits}"),
            Span("  blocked ", "muted"),
            marked(count(blocked), Severity.ALERT if blocked else Severity.FINE),
            Span("  rejected ", "muted"),
            Span(count(rejected), "warn" if rejected else ""),
        )
    ]


def _persistence(value: CacheInfo, now: float) -> Line:
    spans = [Span("saved ", "muted")]
    if value.rdb_last_save_ok is False:
        spans.append(Span("FAILED✖", "bad"))
    elif value.rdb_last_save_at is None:
        spans.append(Span("never" if value.rdb_last_save_ok is not None else "?"))
    else:
        spans.append(Span(f"{uptime(now - value.rdb_last_save_at)} ago"))
    if value.rdb_changes_since_save is not None:
        spans.append(Span(f"  {count(value.rdb_changes_since_save)} changes since", "muted"))
    if value.aof_enabled is None:
        aof = Span("  AOF ?", "muted")
    elif not value.aof_enabled:
        aof = Span("  AOF off", "muted")
    else:
        aof = Span("  AOF ok", "good") if value.aof_last_write_ok is not False else Span("  AOF FAILS✖", "bad")
    return line(*spans, aof)


def _keys(value: CacheInfo) -> Line:
    found = "  ".join(f"{name} {count(number)}" for name, number in value.keys.items())
    return line(Span("keys ", "muted"), Span(found or "none"), Span(f"  up {uptime(value.uptime_s)}", "muted"))
