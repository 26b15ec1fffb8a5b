"""Changes: each is previewed, confirmed, re-checked, journalled, made, and verified. This file is the way in.

preview = await preview_fix(system, fix)          # what would be hit; reads only
preview.confirmation.accepts(typed)               # what the person must do, by risk and environment
applied = await apply_fix(system, fix, preview, record)
async for now in verify_fix(system, fix): ...     # waiting, holding 3/10 s, held or failed
"""

from console.guides.fixes.action import Applied, JournalFailed, Preview, Record, Target, apply_fix, preview_fix
from console.guides.fixes.verify import Verification, VerifyState, verify_fix

__all__ = [
    "Applied",
    "JournalFailed",
    "Preview",
    "Record",
    "Target",
    "Verification",
    "VerifyState",
    "apply_fix",
    "preview_fix",
    "verify_fix",
]
