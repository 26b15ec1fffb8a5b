"""What to say when an issue is handed on: facts first, so that nobody has to find them out again."""

from datetime import UTC, datetime

from console.guides.walk import StepStatus, Walk
from console.system import System


def escalation_text(walk: Walk, system: System, *, began_at: float, now: float) -> str:
    """The hand-over of a walk as plain text: whom to call, what is known, what is not, what was tried. Times in UTC."""
    issue, config = walk.issue, system.config
    minutes = max(0, int((now - began_at) // 60))
    lines = [
        f"To: {issue.escalate.to}",
        f"{issue.severity.value.upper()}: {issue.title} ({issue.id})",
        f"System: {config.title} ({system.name}), {config.environment.value}",
        f"Since: {_utc(began_at)}, {minutes} min ago; written {_utc(now)}",
    ]
    if issue.escalate.text:
        lines += ["", issue.escalate.text]
    if walk.conclusion is not None:
        name = f" {walk.conclusion.cause.id}" if walk.conclusion.cause else ""
        lines += ["", f"Outcome: {walk.conclusion.verdict.value}{name}. {walk.conclusion.summary}"]
    lines += ["", "Checked:" if walk.path else "Nothing was checked yet."]
    for made in walk.path:
        mark = "NOT KNOWN " if made.status is StepStatus.UNKNOWN else ""
        chosen = " (chosen by the operator)" if made.overridden else ""
        lines.append(f"- {made.title} {mark}{made.headline} [{made.branch}]{chosen}")
    unread = dict.fromkeys(failure.message for made in walk.path for failure in (*made.unread, *filter(None, [made.failure])))
    if unread:
        lines += ["", "Could not be read:", *(f"- {text}" for text in unread)]
    if walk.notes:
        lines += ["", "Notes:", *(f"- {_utc(note.at)} {note.text}" for note in walk.notes)]
    return "\n".join(lines)


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
