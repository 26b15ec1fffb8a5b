import base64
import json

import jwt
import pytest
from guide_stack import sms_config
from network_stack import NOW, NetworkStack, everything
from pydantic import ValidationError

from console.reading import FailureKind, SourceError

SECRET = "the-secret-of-the-service-0123456789" * 2


@pytest.fixture
def stack() -> NetworkStack:
    made = NetworkStack(sms_config())
    made.engine.environment = {"JWT_SECRET_KEY": SECRET}
    return made


def token(secret: str = SECRET, algorithm: str = "HS256", **claims: object) -> str:
    usual = {"sub": "ann.smith@school.example", "role": "teacher", "iat": NOW - 60, "exp": NOW + 900}
    whole = {name: value for name, value in {**usual, **claims}.items() if value is not None}
    return jwt.encode(whole, secret, algorithm=algorithm)


def raw(header: object, claims: object) -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, claims))
    return ".".join((*parts, "c2ln"))


async def test_a_good_token(stack: NetworkStack) -> None:
    outcome = await stack.make("jwt.decode", token=token())
    assert outcome.facts == {
        "well_formed": True,
        "expired": False,
        "expires_in_s": 900.0,
        "signature_ok": True,
        "not_yet_valid": False,
        "issued_ahead_s": 0.0,
        "algorithm_ok": True,
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (token(exp=NOW - 1), {"expired": True, "expires_in_s": -1.0, "signature_ok": True}),
        (token(exp=None), {"expired": False, "expires_in_s": None}),
        (token("another-secret-of-another-service-01234"), {"signature_ok": False, "expired": False, "algorithm_ok": True}),
        (token(algorithm="HS512"), {"signature_ok": False, "algorithm_ok": False}),
        (raw({"alg": "none"}, {"sub": "x"}), {"signature_ok": False, "algorithm_ok": False, "well_formed": True}),
        (token(nbf=NOW + 60), {"not_yet_valid": True}),
        (token(iat=NOW + 300), {"issued_ahead_s": 300.0, "signature_ok": True}),
        (token(iat=None), {"issued_ahead_s": None}),
        (f"  Bearer {token()} ", {"well_formed": True, "signature_ok": True}),
    ],
    ids=["expired", "endless", "signature", "algorithm", "unsigned", "early", "ahead", "undated", "bearer"],
)
async def test_what_is_wrong_with_a_token_is_told_apart(stack: NetworkStack, given: str, expected: dict[str, object]) -> None:
    facts = (await stack.make("jwt.decode", token=given)).facts
    assert {name: facts[name] for name in expected} == expected


@pytest.mark.parametrize(
    "given",
    [
        "x",
        "a.b.c",
        "..",
        "\x1b[31m",
        "eyJ" + "A" * 16_000,
        raw({"alg": "HS256"}, {"exp": "soon"}),
        raw({"alg": "HS256"}, {"exp": 1e300}),
        raw({"alg": "HS256"}, [1]),
        raw([], {}),
    ],
    ids=["word", "parts", "dots", "control", "long", "text-time", "huge-time", "list", "list-header"],
)
async def test_what_is_no_token_says_so_and_nothing_else(stack: NetworkStack, given: str) -> None:
    outcome = await stack.make("jwt.decode", token=given)
    assert outcome.facts["well_formed"] is False
    assert not [value for name, value in outcome.facts.items() if name != "well_formed" and value is not None]


def test_a_token_of_a_megabyte_is_refused_without_being_repeated(stack: NetworkStack) -> None:
    with pytest.raises(ValidationError):
        stack.command("jwt.decode", token="e" * 1_000_000)


async def test_nothing_of_token_secret_or_person_is_shown(stack: NetworkStack) -> None:
    given = token(note="\x1b[31mprivate words", **{"evil\x1b]0;x\x07": 1})
    outcome = await stack.make("jwt.decode", token=given)
    shown = everything(outcome) + stack.command("jwt.decode", token=given)
    for secret in (*given.split("."), SECRET, "smith", "private words", "\x1b"):
        assert secret not in shown
    assert "sub: ann…" in outcome.evidence
    assert [line for line in outcome.evidence if line.startswith("claims: ") and "role" in line]


async def test_without_the_secret_only_the_signature_is_unknown(stack: NetworkStack) -> None:
    stack.engine.environment = {}
    outcome = await stack.make("jwt.decode", token=token(exp=NOW - 10))
    assert (outcome.facts["signature_ok"], outcome.facts["expired"], len(outcome.unread)) == (None, True, 1)
    stack.engine.failure = SourceError(FailureKind.TIMEOUT, "The engine did not answer.")
    outcome = await stack.make("jwt.decode", token=token())
    assert (outcome.facts["signature_ok"], outcome.unread[0].kind) == (None, FailureKind.TIMEOUT)


async def test_a_secret_may_have_another_name_and_be_in_a_file(stack: NetworkStack) -> None:
    config = stack.config.model_copy(update={"roles": {}, "settings_files": {"backend": "/opt/x/.env"}})
    made = NetworkStack(config)
    made.host.files["/opt/x/.env"] = f'OTHER="{SECRET}"\n'.encode()
    assert (await made.make("jwt.decode", token=token(), name="OTHER")).facts["signature_ok"] is True


@pytest.mark.filterwarnings("ignore:The HMAC key")
async def test_a_short_secret_is_compared_all_the_same(stack: NetworkStack) -> None:
    stack.engine.environment = {"JWT_SECRET_KEY": "short"}
    given = token("short")
    assert (await stack.make("jwt.decode", token=given)).facts["signature_ok"] is True
