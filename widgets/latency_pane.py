"""How fast the service answers: percentiles now and over the last minutes, requests, errors, endpoints, targets."""

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

from textual.binding import BindingType

from console.alarms import Alarm, latency_alarms
from console.config_tables import Limits
from console.severity import Severity, above, below
from console.sources.protocols.metrics import EndpointLatency, Latency, Origin, Point, Quality
from widgets.commands import Scope, bindings
from widgets.figures import percent, rate, seconds
from widgets.grid import Column, heading, laid_out, row
from widgets.line import Line, Span, fitted, line, marked
from widgets.meter import Mark, ceiling, chart
from widgets.pane import Pane

WINDOW_S = 900.0
AXIS = 8
"""Cells for the figures at the left of the chart."""
ROOM_FOR_P99 = 10
"""Lines of chart from which on p99 is drawn as well."""
_NO_DATA = {
    Quality.NO_TRAFFIC: "no data: no traffic in the window",
    Quality.NO_SERIES: "no data: the histogram is not there (see [systems.….prometheus] duration)",
    Quality.BAD_HISTOGRAM: "no data: the histogram's buckets make no sense",
    Quality.GOOD: "no data",
}
COLUMNS = (
    Column("endpoint", "ENDPOINT", 14, grow=1),
    Column("p95", "P95", 8, right=True),
    Column("rate", "REQ/S", 6, right=True),
    Column("errors", "ERRORS", 7, right=True),
)


class LatencyPane(Pane):
    TITLE = "Latency"
    SOURCE = "Metrics"
    FILTERS = "endpoints"
    SCOPES: ClassVar[tuple[Scope, ...]] = (Scope.LIST,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(*SCOPES)

    def value_alarms(self, value: Latency) -> list[Alarm]:
        return latency_alarms(value, self.config)

    def summary(self, value: Latency) -> str:
        origin = "Prometheus" if value.origin is Origin.PROMETHEUS else "/metrics"
        return f"{origin}, over {value.window_s:.0f} s"

    def keys(self) -> Sequence[str]:
        return [] if self.value is None else [item.endpoint for item in self._endpoints(self.value)]

    def body(self, value: Latency, width: int, height: int) -> Sequence[Line]:
        lines = [self._now(value), self._traffic(value), *_notices(value, width)]
        rows = min(len(self._endpoints(value)), max(2, (height - len(lines)) // 3)) + 1 if value.endpoints else 0
        room = height - len(lines) - rows
        if room >= 4 and value.history:
            lines += self._chart(value, width, room)
        if rows:
            self.list_top = len(lines) + 1
            layout = laid_out(COLUMNS, width)
            lines.append(heading(layout))
            listed = {item.endpoint: item for item in self._endpoints(value)}
            lines += [
                row(layout, self._cells(listed[key]), selected=chosen) for key, chosen in self.list_rows(height - len(lines))
            ]
        return lines

    def _now(self, value: Latency) -> Line:
        if value.p95_s is None:
            down = value.quality is Quality.NO_SERIES and any(not target.up for target in value.targets)
            return line(Span("p95 ", "muted"), Span("no data: the target is down" if down else _NO_DATA[value.quality], "warn"))
        limits = self.config.thresholds
        at_least = "≥ " if value.saturated_s is not None else ""
        return line(
            Span("p50 ", "muted"),
            Span(seconds(value.p50_s)),
            Span("   p95 ", "muted"),
            _strong(marked(f"{at_least}{seconds(value.p95_s)}", _against(value.p95_s, limits.p95_ms))),
            Span("   p99 ", "muted"),
            marked(seconds(value.p99_s), _against(value.p99_s, limits.p99_ms)),
        )

    def _traffic(self, value: Latency) -> Line:
        limits = self.config.thresholds
        down = [target for target in value.targets if not target.up]
        spans = [
            Span("requests/s ", "muted"),
            marked(rate(value.requests_per_s), below(value.requests_per_s, limits.requests_per_s)),
            Span("   errors ", "muted"),
            marked(percent(value.error_percent), above(value.error_percent, limits.error_percent)),
        ]
        if value.targets:
            up = len(value.targets) - len(down)
            spans += [
                Span("   targets ", "muted"),
                marked(f"{up}/{len(value.targets)} up", Severity.ALERT if down else Severity.FINE),
            ]
        return line(*spans)

    def _chart(self, value: Latency, width: int, room: int) -> list[Line]:
        limits = self.config.thresholds.p95_ms
        marks = [Mark(limits.alert / 1000, "warn"), Mark(limits.critical / 1000, "bad")]
        columns = max(10, width - AXIS)
        p95 = bucketed([(point.at, point.p95_s) for point in value.history], columns, self.clock())
        p99 = (
            bucketed([(point.at, point.p99_s) for point in value.history], columns, self.clock()) if room >= ROOM_FOR_P99 else []
        )
        top = ceiling(max((item for item in p95 if item is not None), default=0.0), marks)
        body = chart(p95, room - 1, top, marks, p99)
        shown = [mark for mark in marks if mark.value <= top]
        labels = {
            room - 2 - min(room - 2, int(mark.value / top * (room - 1))): (seconds(mark.value), mark.style) for mark in shown
        }
        labels.setdefault(0, (seconds(top), "muted"))
        lines = []
        for index, item in enumerate(body):
            text, style = labels.get(index, ("", "muted"))
            lines.append(Line((Span(fitted(text, AXIS - 1, right=True) + " ", style), *item.spans)))
        left = fitted(f"{' ' * AXIS}-15 min", width // 2)
        words = f"{'• p99  ' if p99 else ''}█ p95 {_range(value.history)}"
        lines.append(line(Span(left, "muted"), Span(fitted(words, width - width // 2, right=True), "muted")))
        return lines

    def _endpoints(self, value: Latency) -> list[EndpointLatency]:
        found = [item for item in value.endpoints if self.matches(item.endpoint)]
        return sorted(found, key=lambda item: (-(_rounded(item.p95_s)), item.endpoint))

    def _cells(self, item: EndpointLatency) -> dict[str, Span]:
        limits = self.config.thresholds
        errors = above(item.error_percent, limits.error_percent)
        return {
            "endpoint": Span(item.endpoint),
            "p95": marked(seconds(item.p95_s), _against(item.p95_s, limits.p95_ms)),
            "rate": Span(rate(item.requests_per_s)),
            "errors": marked(percent(item.error_percent), errors)
            if errors >= Severity.ALERT
            else Span(percent(item.error_percent), "muted"),
        }


def bucketed(points: Sequence[tuple[float, float | None]], columns: int, now: float) -> list[float | None]:
    """The largest value of each of `columns` equal parts of the window.

    The parts begin at fixed times, so that the picture moves on by whole columns and stands still between; parts without
    a point of their own, because points are further apart than columns, take the value before.
    """
    step_s = WINDOW_S / columns
    last = int(now // step_s)
    found: list[float | None] = [None] * columns
    filled: list[int] = []
    for at, value in points:
        column = columns - 1 - (last - int(at // step_s))
        if 0 <= column < columns:
            filled.append(column)
            if value is not None:
                found[column] = max(value, found[column] or 0.0)
    usual = max((b - a for a, b in pairwise(filled)), default=1)
    for index in range(1, columns):
        if index not in filled and found[index] is None and any(index - back in filled for back in range(1, min(usual, 12) + 1)):
            found[index] = found[index - 1]
    return found


def _against(value_s: float | None, limits_ms: Limits) -> Severity:
    return Severity.FINE if value_s is None else above(value_s * 1000, limits_ms)


def _strong(span: Span) -> Span:
    return span if span.style else Span(span.text, "strong")


def _rounded(value_s: float | None) -> float:
    """Coarse, so that the order of endpoints does not flicker."""
    return 0.0 if value_s is None else round(value_s, 1)


def _notices(value: Latency, width: int) -> list[Line]:
    lines = [line(Span(fitted(note, width), "muted")) for note in value.notes[:2]]
    firing = [alert for alert in value.alerts if alert.state == "firing"]
    lines += [line(Span(fitted(f"✖ {alert.name} {alert.summary}", width), "bad")) for alert in firing[:2]]
    lines += [
        line(Span(fitted(f"▲ {target.job} {target.instance}: {target.error}", width), "warn"))
        for target in value.targets
        if not target.up
    ][:2]
    return lines


def _range(history: Sequence[Point]) -> str:
    values = [point.p95_s for point in history if point.p95_s is not None]
    return f"{seconds(min(values))} to {seconds(max(values))}" if values else "no data"
