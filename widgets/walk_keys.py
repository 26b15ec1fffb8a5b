"""The keys that work now in a walk, and what each does, for its bottom line."""

from console.guides.walk import Walk


def walk_keys(
    walk: Walk, selected: int, *, overriding: bool = False, typing: bool = False, busy_s: float | None = None
) -> list[tuple[str, str]]:
    """Key and words. `selected` is the step whose evidence is shown; `busy_s`: for how long a check is being made, if one is."""
    if typing:
        return [("enter", "gives it"), ("esc", "leaves it open")]
    if busy_s is not None:
        return [("", f"checking … {busy_s:.0f} s"), ("s", "stops"), ("esc", "leaves")]
    if overriding:
        return [("1-9", "takes that arm"), ("esc", "keeps the verdict")]
    keys = _onward(walk)
    if 0 <= selected < len(walk.path) and walk.path[selected].log_line is not None:
        keys.append(("l", "in the log"))
    if walk.path:
        keys += [("b", "back"), ("o", "override")]
    if walk.current is None:
        keys.append(("r", "again"))
    given = [("I", "inputs")] if walk.issue.inputs else []
    return [*keys, ("n", "note"), ("y", "copies"), ("!", "escalates"), ("esc", "leaves"), *given]


def _onward(walk: Walk) -> list[tuple[str, str]]:
    if walk.question is not None:
        if walk.question.wanted is not None:
            return [("enter", "asks for it")]
        return [("1-9", "answers")] if walk.question.answers else [("enter", "answers")]
    if walk.current is not None:
        return [("enter", "checks"), ("a", "all")]
    keys = []
    if walk.conclusion is not None and walk.conclusion.continues:
        keys.append(("enter", f"goes on at {walk.conclusion.continues}"))
    if walk.conclusion is not None and walk.conclusion.fixes:
        keys += [("1-9", "chooses a fix"), ("f", "opens it")]
    return keys
