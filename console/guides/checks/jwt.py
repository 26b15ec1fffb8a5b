"""A pasted token, looked at on this machine: nothing is sent, and nothing of it is shown but its times and names of claims."""

import asyncio
import math
import time
import warnings
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Literal

from pydantic import Field

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, Facts, FactType, Findings
from console.guides.checks.words import age
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.guides.role_settings import role_environment
from console.reading import Failure, FailureKind, SourceError
from console.text import clean

MOST_CHARACTERS = 16_384
_TIMES = ("exp", "iat", "nbf")
_SHOWN_CLAIMS = 20
_LATEST = 253_402_300_799  # the end of the year 9999


class JwtParameters(Parameters):
    token: str = Field(min_length=1, max_length=MOST_CHARACTERS, repr=False)
    role: str = "backend"
    name: str = "JWT_SECRET_KEY"
    """The setting of the role that holds the secret."""
    algorithm: Literal["HS256", "HS384", "HS512"] = "HS256"


async def _decode(readings: Readings, parameters: JwtParameters) -> Findings:
    await asyncio.to_thread(import_module, "jwt")
    token = parameters.token.strip().removeprefix("Bearer ").strip()
    parts = _parts(token)
    if parts is None:
        return Findings({"well_formed": False}, "What was given is no JSON Web Token.")
    header, claims = parts
    secret, unread = await _secret(readings, parameters)
    now = readings.system.clock()
    expires, not_before, issued = (_seconds(claims.get(name)) for name in ("exp", "nbf", "iat"))
    matches = header.get("alg") == parameters.algorithm
    facts: Facts = {
        "well_formed": True,
        "expired": expires is not None and expires <= now,
        "expires_in_s": None if expires is None else round(expires - now, 1),
        "signature_ok": None if secret is None else matches and signed_with(token, secret, parameters.algorithm),
        "not_yet_valid": not_before is not None and not_before > now,
        "issued_ahead_s": None if issued is None else max(0.0, round(issued - now, 1)),
        "algorithm_ok": matches,
    }
    return Findings(facts, _headline(facts), _evidence(header, claims), unread)


def signed_with(token: str, secret: str, algorithm: str) -> bool:
    """Whether the token's signature was made with the secret, whatever its claims say."""
    import jwt

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a short secret is the service's matter
        try:
            jwt.PyJWS().decode(token, secret, algorithms=[algorithm])
        except jwt.PyJWTError:
            return False
    return True


def _parts(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """Header and claims without looking at the signature; None when it is no token."""
    import jwt

    try:
        decoded = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        return None
    claims = decoded["payload"]
    odd = [name for name in _TIMES if name in claims and _seconds(claims[name]) is None]
    return None if odd or not isinstance(claims, dict) else (decoded["header"], claims)


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_LATEST < value < _LATEST:
        return None
    return float(value) if math.isfinite(value) else None


async def _secret(readings: Readings, parameters: JwtParameters) -> tuple[str | None, tuple[Failure, ...]]:
    readings.system.secrets.add(parameters.token)
    try:
        secret = (await role_environment(readings, parameters.role)).get(parameters.name, "")
    except SourceError as error:
        return None, (error.failure,)
    readings.system.secrets.add(secret)
    if secret:
        return secret, ()
    message = f"{clean(parameters.name, 100)} of {clean(parameters.role, 100)} is not set, so that no signature can be checked."
    return None, (Failure(FailureKind.MISSING, message, "Set it, and restart the service."),)


def _headline(facts: Facts) -> str:
    left = facts["expires_in_s"]
    if not facts["algorithm_ok"]:
        return "The token is signed in another way than the service expects."
    if facts["signature_ok"] is False:
        return "The token was not signed with the service's secret."
    if facts["expired"] and isinstance(left, float):
        return f"The token expired {age(-left)} ago."
    if facts["not_yet_valid"]:
        return "The token is not valid yet."
    ends = f"is valid for {age(left)} more" if isinstance(left, float) else "never expires"
    return f"The token {ends}." if facts["signature_ok"] else f"The token {ends}; its signature could not be checked."


def _evidence(header: Mapping[str, Any], claims: Mapping[str, Any]) -> tuple[str, ...]:
    lines = [f"alg: {clean(str(header.get('alg')), 20)}"]
    for name in _TIMES:
        at = _seconds(claims.get(name))
        if at is not None:
            lines.append(f"{name}: {time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime(at))}")
    subject = claims.get("sub")
    if isinstance(subject, str | int):
        lines.append(f"sub: {clean(str(subject)[:3], 20)}…")
    names = ", ".join(clean(str(name), 40) for name in list(claims)[:_SHOWN_CLAIMS])
    return (*lines, f"claims: {names or 'none'}")


def _command(_config: SystemConfig, parameters: JwtParameters) -> str:
    return f'cut -d. -f2 <<<"$TOKEN" | basenc -d --base64url  # and its signature against {clean(parameters.name, 100)}, locally'


CHECKS = (
    Check(
        name="jwt.decode",
        title="Is the token good?",
        parameters=JwtParameters,
        facts=(
            Fact("well_formed", FactType.BOOL, "it is a JSON Web Token; the other facts are unknown when it is not"),
            Fact("expired", FactType.BOOL, "its time is over"),
            Fact("expires_in_s", FactType.NUMBER, "until it expires, negative after that; unknown when it never does", "s"),
            Fact("signature_ok", FactType.BOOL, "it was signed with the role's secret; unknown without that"),
            Fact("not_yet_valid", FactType.BOOL, "its time has not begun"),
            Fact("issued_ahead_s", FactType.NUMBER, "how far its issue lies in our future: one clock is wrong", "s"),
            Fact("algorithm_ok", FactType.BOOL, "it is signed by the algorithm that is expected"),
        ),
        command=_command,
        make=_decode,
    ),
)
