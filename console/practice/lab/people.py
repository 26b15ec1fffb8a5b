"""What users of a lab hold in their hands: tokens and the ids of requests."""

import time

CORRELATION_ID = "7c1e5a20-3b64-4d0f-9a11-9e0000000001"
"""Of the request that a fault makes as the affected user."""
LIFETIME_S = 1800


def token(secret: str, user: str, role: str, *, issued_ago_s: float = 60) -> str:
    """A JSON Web Token (HS256) as the backend would have given it so long ago, for half an hour."""
    import jwt

    at = int(time.time() - issued_ago_s)
    return jwt.encode({"sub": user, "role": role, "iat": at, "exp": at + LIFETIME_S}, secret, algorithm="HS256")
