"""The fixes of the shipped sms guide, made on the hand-made stack, and a journal in memory."""

from collections.abc import Mapping

from guide_stack import MIB, NOW, Stack

from console.guides.fixes import Applied, Preview, apply_fix, preview_fix
from console.guides.issue import Fix
from console.guides.loader import load_issues

FIXES = {f"{issue.id}.{fix.id}": fix for issue in load_issues(("sms",)) for fix in issue.fixes.values()}
NIGHT_S = 86_400.0


class Written:
    """A journal in memory; `fails` says from which entry on it cannot be written."""

    def __init__(self, fails: int = 1000) -> None:
        self.entries: list[tuple[str, Mapping[str, object]]] = []
        self._fails = fails

    async def record(self, kind: str, details: Mapping[str, object]) -> None:
        if len(self.entries) >= self._fails:
            raise OSError(28, "No space left on device")
        self.entries.append((kind, details))


async def made(stack: Stack, fix: Fix, preview: Preview | None = None) -> Applied:
    return await apply_fix(stack.system, fix, preview or await preview_fix(stack.system, fix), Written().record)


def backups(stack: Stack) -> None:
    stack.engine.files = {f"student_management_{day}.sql.gz": (MIB * 10, NOW - day * NIGHT_S) for day in range(5)}
