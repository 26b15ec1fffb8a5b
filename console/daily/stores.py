"""The database's health, and the backups: how new, how large, and against the one before. Pure."""

from collections.abc import Iterator, Sequence

from console.config import SystemConfig
from console.daily.figures import Counters, Figures, Tables
from console.daily.judged import Judged, unread
from console.daily.report import LeftOut, Section
from console.guides.checks.files_backups import BackupFile
from console.guides.checks.words import age, number, size
from console.reading import Failure
from console.severity import Severity, above
from console.sources.protocols.database import Activity

SMALLEST_BYTES = 512
"""About what gzip makes of a dump without a single table."""
SHRUNK = 0.5
"""A backup of less than this share of the one before lost something, unless somebody deleted that much."""
FEWEST_HITS_PERCENT = 90.0
"""Below this the buffers are too small for what is asked, or whole tables are read."""
DEADLOCKS_A_DAY = 1.0
DAY_S = 86_400.0
_M, _B, _D = Section.MORNING, Section.BACKUP, Section.DATABASE
Found = Judged | LeftOut


def answers_line(figures: Figures) -> Found:
    """Step 4: a login works, and the table of users has rows."""
    title, expected = "4. Database answers", "a login, and users are there"
    accepts, users = figures.accepts, figures.users
    if isinstance(accepts, Failure):
        return unread("database", _M, title, expected, accepts)
    if not accepts.accepting:
        return Judged("database", _M, title, expected, accepts.message or accepts.reason, Severity.CRITICAL)
    answer = f"answers after {accepts.elapsed_s * 1000:.0f} ms"
    if isinstance(users, Failure):
        reason = f"The login works; the users could not be counted: {users}"
        return Judged("database", _M, title, expected, answer, Severity.UNKNOWN, reason)
    severity = Severity.FINE if users else Severity.ALERT
    return Judged("database", _M, title, expected, f"{answer}, {number(users, 'user')}", severity)


def backup_age_line(files: Sequence[BackupFile] | Failure, config: SystemConfig, now: float) -> Found:
    """Step 5: the newest backup is younger than what may be lost."""
    title, expected = "5. Backup", f"younger than {config.recovery.rpo_hours} h"
    if isinstance(files, Failure):
        return unread("backup", _M, title, expected, files)
    if not files:
        return Judged("backup", _M, title, expected, "there is none", Severity.CRITICAL)
    old = max(0.0, now - files[0].modified_at)
    allowed = config.recovery.rpo_hours * 3600
    severity = Severity.FINE if old < allowed else Severity.CRITICAL if old >= 2 * allowed else Severity.ALERT
    return Judged("backup", _M, title, expected, f"{age(old)} old ({files[0].name})", severity)


def backup_lines(files: Sequence[BackupFile] | Failure, now: float) -> Iterator[Found]:
    """How large the newest is, and against the one before."""
    size_expected = f"at least {SMALLEST_BYTES} B, and no less than half of the one before"
    if isinstance(files, Failure):
        yield unread("backup-size", _B, "Size", size_expected, files)
        return
    if not files:
        return
    newest = files[0]
    severity, words = Severity.FINE, "there is none before it"
    if newest.size_bytes < SMALLEST_BYTES:
        severity = Severity.CRITICAL
    if len(files) > 1:
        before = files[1]
        words = f"{growth(newest.size_bytes, before.size_bytes)} against the one of {age(now - before.modified_at)} ago"
        if newest.size_bytes < SHRUNK * before.size_bytes:
            severity = max(severity, Severity.ALERT)
    yield Judged("backup-size", _B, "Size", size_expected, f"{size(newest.size_bytes)}, {words}", severity)
    total = f"{number(len(files), 'backup')}, {size(sum(item.size_bytes for item in files))}"
    yield Judged("backup-count", _B, "All backups", "at least one", total)


def growth(now_bytes: int, before_bytes: int) -> str:
    """`+3 %`, `-40 %`."""
    if not before_bytes:
        return "the one before is empty; growth cannot be told"
    return f"{100 * (now_bytes - before_bytes) / before_bytes:+.0f} %"


def database_lines(figures: Figures, config: SystemConfig) -> Iterator[Found]:
    """Connections, long statements, cache hits, size; deadlocks and tables."""
    limits, activity = config.thresholds, figures.activity
    connections = f"< {limits.connections_percent.alert:g} % of all"
    long = f"none over {limits.statement_s.alert:g} s"
    hits = f"at least {FEWEST_HITS_PERCENT:g} %"
    if isinstance(activity, Failure):
        yield unread("connections", _D, "Connections", connections, activity)
        yield unread("statements", _D, "Long statements", long, activity)
        yield unread("size", _D, "Size", "known", activity)
    else:
        yield from _activity(activity, config, connections, long)
    if isinstance(figures.counters, Failure):
        yield unread("cache-hit", _D, "Cache hits", hits, figures.counters)
        yield unread("deadlocks", _D, "Deadlocks", "less than one a day", figures.counters)
    else:
        yield hits_line(figures.counters)
        yield deadlocks_line(figures.counters)
    if isinstance(figures.tables, Failure):
        yield unread("tables", _D, "Tables", "there are some, with rows", figures.tables)
    else:
        yield tables_line(figures.tables)


def _activity(activity: Activity, config: SystemConfig, connections: str, long: str) -> Iterator[Found]:
    limits = config.thresholds
    used = f"{activity.used} of {activity.max_connections}"
    yield Judged("connections", _D, "Connections", connections, used, above(activity.used_percent, limits.connections_percent))
    ages = [item.query_age_s for item in activity.sessions if item.state == "active" and item.query_age_s is not None]
    oldest = max(ages, default=0.0)
    over = sum(1 for item in ages if item >= limits.statement_s.alert)
    actual = f"{number(over, 'statement')}, the longest for {age(oldest)}" if over else "none"
    severity = above(oldest, limits.statement_s)
    reason = ""
    if activity.hidden and severity is Severity.FINE:
        severity = Severity.UNKNOWN
        reason = f"{number(activity.hidden, 'session')} cannot be seen by our role. GRANT pg_monitor."
    yield Judged("statements", _D, "Long statements", long, actual, severity, reason)
    known = activity.database_size_bytes
    reason = "" if known is not None else "The server does not tell it: our role may not ask."
    yield Judged(
        "size", _D, "Size", "known", "" if known is None else size(known), Severity.UNKNOWN if reason else Severity.FINE, reason
    )


def hits_line(found: Counters) -> Judged:
    """Of all that was read since the statistics began: a single look may meet nothing that reads."""
    title, expected, percent = "Cache hits", f"at least {FEWEST_HITS_PERCENT:g} %", found.hit_percent
    if percent is None:
        return Judged("cache-hit", _D, title, expected, "", Severity.UNKNOWN, "Nothing was read since the statistics began.")
    severity = Severity.FINE if percent >= FEWEST_HITS_PERCENT else Severity.ALERT
    return Judged("cache-hit", _D, title, expected, f"{percent:.1f} %", severity)


def deadlocks_line(found: Counters) -> Judged:
    """Few in a long time are no trouble of today: the rate counts, over a day at least."""
    days = max(1.0, (found.counted_for_s or 0.0) / DAY_S)
    severity = Severity.ALERT if found.deadlocks / days >= DEADLOCKS_A_DAY else Severity.FINE
    since = f" in {age(found.counted_for_s)}" if found.counted_for_s is not None else " since the statistics began"
    return Judged("deadlocks", _D, "Deadlocks", "less than one a day", f"{found.deadlocks}{since}", severity)


def tables_line(found: Tables) -> Judged:
    """Rows as the statistics count them: none at all means that these are new, not that the rows are gone."""
    actual = f"{number(found.count, 'table')}, {found.live_rows:,} rows, {found.dead_rows:,} dead"
    title, expected = "Tables", "there are some, with rows"
    if not found.count:
        return Judged("tables", _D, title, expected, "there is none", Severity.CRITICAL)
    if not found.live_rows:
        reason = "The statistics count no row in any table: they are new (ANALYZE counts), or all rows are gone."
        return Judged("tables", _D, title, expected, number(found.count, "table"), Severity.UNKNOWN, reason)
    return Judged("tables", _D, title, expected, actual)
