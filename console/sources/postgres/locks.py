"""Rows of who waits for whom → the lock tree, reduced to its roots.

pg_blocking_pids() names everybody ahead in the queue: of 300 sessions that want one row, the last has 299 blockers. So each
waiter hangs below the one blocker that is nearest to a root, and a root is a blocker that waits for nobody.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from console.sources.protocols.database import Session, Waiter

MOST_CHILDREN = 20
DEEPEST = 16


@dataclass(frozen=True, slots=True)
class Wait:
    """One session that waits for a lock. `blockers` are pids, 0 for a prepared transaction."""

    pid: int
    blockers: tuple[int, ...]
    mode: str = ""
    relation: str = ""
    waited_s: float | None = None


def forest(
    waits: Sequence[Wait], sessions: Mapping[int, Session], *, most_children: int = MOST_CHILDREN, deepest: int = DEEPEST
) -> tuple[Waiter, ...]:
    """The heads of the blocking chains, the one that most wait for first.

    A wait without blockers is over (the lock came free between two questions) and is left out. In a deadlock, which the
    server lets stand for up to deadlock_timeout, the session that has waited longest becomes the head. A root whose waiters
    all hang below another root counts them in `more`, for ending the other one alone would not free them.
    """
    waiting = {wait.pid: wait for wait in waits if wait.blockers}
    behind: dict[int, list[int]] = {}
    for wait in waiting.values():
        for blocker in dict.fromkeys(wait.blockers):
            if blocker != wait.pid:
                behind.setdefault(blocker, []).append(wait.pid)
    roots = sorted((pid for pid in behind if pid not in waiting), key=lambda pid: (-len(behind[pid]), pid))
    children, seen = _nearest(roots, behind)
    for wait in sorted(waiting.values(), key=lambda wait: (-(wait.waited_s or 0), wait.pid)):
        if wait.pid not in seen and wait.pid in behind:
            roots.append(wait.pid)
            more, seen_more = _nearest([wait.pid], behind, seen)
            children |= more
            seen |= seen_more
    sizes = _sizes(roots, children)

    def node(pid: int, depth: int) -> Waiter:
        below = sorted(children.get(pid, ()), key=lambda child: (-sizes[child], -(waiting[child].waited_s or 0), child))
        shown = below[:most_children] if depth < deepest else []
        wait = waiting.get(pid)
        return Waiter(
            session=sessions.get(pid),
            pid=pid,
            mode=wait.mode if wait else "",
            relation=wait.relation if wait else "",
            waited_s=wait.waited_s if wait else None,
            waiters=tuple(node(child, depth + 1) for child in shown),
            more=sum(1 + sizes[child] for child in below[len(shown) :]) if below or depth else len(behind[pid]),
        )

    return tuple(sorted((node(pid, 0) for pid in roots), key=lambda root: (-root.size, root.pid)))


def _nearest(
    roots: Iterable[int], behind: Mapping[int, Sequence[int]], known: Iterable[int] = ()
) -> tuple[dict[int, list[int]], set[int]]:
    """Breadth first: each waiter below the blocker that is nearest to a root; and every pid that was reached."""
    children: dict[int, list[int]] = {}
    queue = deque(roots)
    seen = {*queue, *known}
    while queue:
        pid = queue.popleft()
        for waiter in behind.get(pid, ()):
            if waiter not in seen:
                seen.add(waiter)
                children.setdefault(pid, []).append(waiter)
                queue.append(waiter)
    return children, seen


def _sizes(roots: Iterable[int], children: Mapping[int, Sequence[int]]) -> dict[int, int]:
    """How many wait below each pid; no recursion, for a chain may be as long as there are sessions."""
    order = deque(roots)
    visited: list[int] = []
    while order:
        pid = order.popleft()
        visited.append(pid)
        order.extend(children.get(pid, ()))
    sizes: dict[int, int] = {}
    for pid in reversed(visited):
        sizes[pid] = sum(1 + sizes[child] for child in children.get(pid, ()))
    return sizes
