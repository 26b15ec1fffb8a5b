"""What `triage check` and `triage issues` tell a person. Pure: an object in, text out."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

_WORDS = {"cause": "FOUND", "clear": "clear", "unknown": "UNKNOWN", "escalate": "ESCALATE"}
_SHOWN = 6


def as_text(checked: Mapping[str, Any]) -> str:
    """The results of `check`, the most important first."""
    taken = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(checked["taken_at"]))
    lines = [f"{checked['system']} ({checked['environment']}), {taken}"]
    if "found" in checked:
        lines += ["", *_found(checked["found"])]
    walked = [result for result in checked["results"] if result["left"] is None]
    for result in walked:
        lines += ["", *_result(result)]
    left = [result for result in checked["results"] if result["left"] is not None]
    if left:
        lines += ["", "Nothing so far, but not walked to the end: `triage check ISSUE` does."]
        lines += [f"  {result['issue']:<12} {result['left']}" for result in left]
    return "\n".join(lines)


def _found(found: Sequence[Mapping[str, Any]]) -> list[str]:
    if not found:
        return ["No issue has an error text like this. `triage check` looks at all of them."]
    told = [f"  {item['chord']:<4} {item['issue']:<12} {item['title']}  ({item['text'] or 'its title'})" for item in found]
    return ["The text fits, the best first:", *told]


def issues_as_text(issues: Sequence[Mapping[str, Any]], walked: Mapping[str, float] | None = None) -> str:
    """Every issue in a line. `walked`: when each was last walked, Unix seconds."""
    if not issues:
        return "This system has no guide with issues."
    lines = []
    for issue in issues:
        at = (walked or {}).get(issue["id"])
        when = time.strftime("%Y-%m-%d", time.localtime(at)) if at else "never"
        lines.append(f"{issue['chord']:<4} {issue['severity']:<9} {issue['id']:<12} walked {when:<11} {issue['title']}")
    return "\n".join(lines)


def _result(result: Mapping[str, Any]) -> list[str]:
    cause = f" {result['cause']}" if result["cause"] else ""
    lines = [f"{_WORDS[result['outcome']]}{cause}  {result['issue']} {result['title']}  ({result['elapsed_ms']:.0f} ms)"]
    lines.append(f"  {result['summary']}")
    if result["follows_from"]:
        lines.append(f"  It follows from {result['follows_from']}.")
    if result["left"] is None and result["outcome"] != "clear":
        for step in result["path"]:
            lines += _step(step)
    for fix in result["fixes"]:
        lines += _fix(fix)
    if result.get("continues"):
        lines.append(f"  go on with {result['continues']}")
    return lines


def _step(step: Mapping[str, Any]) -> list[str]:
    lines = [f"  - {step['branch']}", f"      $ {step['command']}"]
    lines += [f"      {line}" for line in step["evidence"][:_SHOWN]]
    if len(step["evidence"]) > _SHOWN:
        lines.append(f"      … {len(step['evidence']) - _SHOWN} lines more")
    return lines


def _fix(fix: Mapping[str, Any]) -> list[str]:
    preview = fix["preview"] or {}
    lines = [f"  fix {fix['risk']} {fix['title']}"]
    told = preview.get("failure") or preview.get("empty")
    if told:
        lines.append(f"      {told}")
    elif preview.get("command"):
        lines.append(f"      $ {preview['command']}")
    return lines
