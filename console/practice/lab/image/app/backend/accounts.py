"""Passwords, tokens and who a request is from, for the systems that log in with JSON Web Tokens."""

import hashlib
import logging
import os
import time

import jwt

from backend import web

log = logging.getLogger("backend.auth")
SECRET_NAME = {"planner": "SECRET_KEY"}.get(os.environ.get("SYSTEM", ""), "JWT_SECRET_KEY")
ALGORITHM = os.environ.get("JWT_ALGORITHM") or "HS256"
LIFETIME_S = 60 * int(os.environ.get("JWT_EXPIRE_MINUTES") or 30)

def hash_password(password):
    """As passwords are kept in the database."""
    return "sha256$" + hashlib.sha256(password.encode()).hexdigest()


def make_token(user, role):
    """A token for a user who has logged in."""
    secret = os.environ.get(SECRET_NAME, "")
    if not secret:
        raise RuntimeError(f"{SECRET_NAME} is not set")
    at = int(time.time())
    return jwt.encode({"sub": user, "role": role, "iat": at, "exp": at + LIFETIME_S}, secret, algorithm=ALGORITHM)


def authenticate(request):
    """Fill in the request's user and role from its token; raises web.Refused with 401, told in the log."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise _failed(request, "No token")
    try:
        claims = jwt.decode(
            token,
            os.environ.get(SECRET_NAME, ""),
            algorithms=[ALGORITHM],
            options={"verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidSignatureError:
        raise _failed(request, "Invalid token signature") from None
    except jwt.InvalidTokenError as error:
        raise _failed(request, f"Invalid token: {error}") from None
    if claims.get("exp", 0) <= time.time():
        raise _failed(request, "Token has expired")
    if claims.get("iat", 0) > time.time() + 5:
        raise _failed(request, "The token is not yet valid (iat)")
    request.user, request.role = str(claims.get("sub", "")), str(claims.get("role", ""))


def refuse_login(request, user, reason):
    """Tell a refused login in the log and answer it."""
    log.warning("Login failed for %s: %s client=%s correlation_id=%s", user, reason, request.client, request.id)
    raise web.Refused(401, "Invalid email or password", "INVALID_CREDENTIALS")


def _failed(request, reason):
    log.warning("Authentication failed: %s correlation_id=%s", reason, request.id)
    return web.Refused(401, "Unauthorized", "UNAUTHORIZED")
