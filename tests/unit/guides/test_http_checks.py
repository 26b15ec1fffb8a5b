import pytest
from guide_stack import sms_config
from network_stack import NetworkStack, everything, no_answer, web_answer
from pydantic import ValidationError

API = "http://127.0.0.1:8000/api"
WS = "ws://127.0.0.1:8000/ws"
LINKS = {
    "help-start": "https://help.example/start",
    "help-logo": "https://help.example/logo.png",
    "help-app": "https://help.example/app.js?v=1",
    "pay": "https://pay.example/",
}


@pytest.fixture
def stack() -> NetworkStack:
    return NetworkStack(sms_config().model_copy(update={"endpoints": {"api": API, "ws": WS}, "links": LINKS}))


async def test_an_answer_is_told_by_status_type_and_time(stack: NetworkStack) -> None:
    stack.network.sites[API] = web_answer("<html>Sign in</html>", 200, 0.12, content_type="text/html; charset=utf-8")
    outcome = await stack.make("http.get", endpoint="api", contains="Sign in")
    assert outcome.facts == {
        "answered": True,
        "status": 200,
        "reason": "",
        "elapsed_ms": 120.0,
        "content_type": "text/html",
        "contains": True,
    }
    assert stack.command("http.get", endpoint="api") == f"curl -sS -i --max-time 3 {API}"


async def test_no_answer_is_an_answer_with_its_reason(stack: NetworkStack) -> None:
    stack.network.sites[API] = no_answer("refused")
    facts = (await stack.make("http.get", endpoint="api", contains="x")).facts
    assert (facts["answered"], facts["reason"]) == (False, "refused")
    assert facts["status"] is facts["contains"] is facts["content_type"] is None


async def test_fields_of_a_json_answer_become_facts_of_their_type(stack: NetworkStack) -> None:
    stack.network.sites[API] = web_answer(
        '{"ok": true, "checks": [{"redis": "down\x1b[31m", "lag": 2.5}], "token": "eyJhbGciOi.eyJzdWIi.abc", "n": 3, "bad": "x"}'
    )
    fields = {
        "healthy": ("ok", "bool"),
        "redis": ("checks.0.redis", "text"),
        "lag": ("checks.0.lag", "number"),
        "bad": ("bad", "number"),
        "absent": ("checks.7.redis", "text"),
        "one": ("n", "bool"),
    }
    outcome = await stack.make("http.get", endpoint="api", fields=fields)
    found = {name: outcome.facts[name] for name in fields}
    assert found == {"healthy": True, "redis": "down", "lag": 2.5, "bad": None, "absent": None, "one": None}
    assert len(outcome.unread) == 3
    assert "eyJ" not in everything(outcome)


@pytest.mark.parametrize("body", ["not json", "[" * 50_000, "", '{"a": NaN}', "[1, 2]", '"text"', "null"])
async def test_an_answer_that_is_no_such_json_leaves_its_fields_unknown(stack: NetworkStack, body: str) -> None:
    stack.network.sites[API] = web_answer(body)
    outcome = await stack.make("http.get", endpoint="api", fields={"a": ("a", "number")})
    assert (outcome.facts["a"], outcome.facts["answered"], len(outcome.unread)) == (None, True, 1)


def test_a_field_cannot_take_the_name_of_a_fact(stack: NetworkStack) -> None:
    with pytest.raises(ValidationError, match="status is a fact"):
        stack.command("http.get", endpoint="api", fields={"status": ("a", "text")})


@pytest.mark.parametrize("parameters", [{}, {"endpoint": "a", "link": "b"}, {"endpoint": "a", "url": "http://x"}])
def test_an_address_is_named_once(stack: NetworkStack, parameters: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="needs one of"):
        stack.command("http.get", **parameters)


async def test_an_endpoint_that_is_not_configured_is_unknown(stack: NetworkStack) -> None:
    outcome = await stack.make("http.get", endpoint="nowhere")
    assert outcome.failure is not None
    assert outcome.facts["answered"] is None
    assert "[systems.sms.endpoints]" in outcome.failure.advice


async def test_a_login_never_shows_what_was_typed(stack: NetworkStack) -> None:
    stack.network.sites[API] = web_answer(
        '{"detail": [{"msg": "wrong", "input": "hunter2"}], "access_token": "abcdef"}', 422, content_type="application/json"
    )
    login = {"email": "ann@school.example", "password": "hunter2"}
    outcome = await stack.make(
        "http.post", endpoint="api", json=login, fields={"said": ("detail.0.input", "text"), "message": ("detail.0.msg", "text")}
    )
    assert (outcome.facts["status"], outcome.facts["message"]) == (422, "wrong")
    assert stack.network.asked[0][1]["json"] == login
    shown = everything(outcome) + stack.command("http.post", endpoint="api", json=login)
    assert not [secret for secret in ("hunter2", "ann@school", "abcdef") if secret in shown]
    assert "one login attempt" in shown


def test_parameters_with_secrets_do_not_show_them(stack: NetworkStack) -> None:
    from network_stack import call

    shown = repr(call("http.post", {"endpoint": "api", "json": {"password": "hunter2"}}).parameters)
    shown += repr(call("jwt.decode", {"token": "hunter2"}).parameters)
    shown += repr(call("snmp.versions", {"host": "h", "community": "hunter2"}).parameters)
    assert "hunter2" not in shown


async def test_links_are_counted_by_what_is_wrong_with_them(stack: NetworkStack) -> None:
    stack.network.sites = {
        LINKS["help-start"]: web_answer("", 404),
        LINKS["help-logo"]: web_answer("", 200, 1.5, content_type="image/png"),
        LINKS["help-app"]: web_answer("<html>", 200, content_type="text/html"),
        LINKS["pay"]: no_answer("timeout"),
    }
    outcome = await stack.make("http.links")
    expected = {"broken": 2, "not_found": 1, "no_answer": 1, "moved": 0, "wrong_type": 1, "slow": 1}
    assert outcome.facts == expected
    assert outcome.headline == "3 links of 4 fail: help-start, pay, help-app."
    help_only = (await stack.make("http.links", prefix="help-")).facts
    assert (help_only["broken"], help_only["no_answer"]) == (1, 0)


async def test_links_that_lead_somewhere_are_fine(stack: NetworkStack) -> None:
    stack.network.sites[LINKS["pay"]] = web_answer("", 301, location="https://pay.example/en")
    outcome = await stack.make("http.links", links=("pay",))
    assert (outcome.facts["broken"], outcome.facts["moved"]) == (0, 1)


async def test_links_that_are_not_configured_are_unknown(stack: NetworkStack) -> None:
    assert (await stack.make("http.links", links=("pay", "gone"))).facts["broken"] is None
    assert (await stack.make("http.links", prefix="none-")).facts["broken"] is None


@pytest.mark.parametrize(
    ("answer", "upgraded", "status"), [(web_answer("", 101), True, 101), (web_answer("no", 403), False, 403)]
)
async def test_a_handshake_is_upgraded_by_101_alone(stack: NetworkStack, answer, upgraded: bool, status: int) -> None:
    stack.network.sites[WS] = answer
    outcome = await stack.make("http.handshake", endpoint="ws", origin="http://page.example")
    assert (outcome.facts["upgraded"], outcome.facts["status"], outcome.facts["answered"]) == (upgraded, status, True)
    assert stack.network.asked[0][1]["origin"] == "http://page.example"
    assert "http://127.0.0.1:8000/ws" in stack.command("http.handshake", endpoint="ws")


async def test_a_handshake_is_asked_as_from_the_page_that_an_endpoint_serves(stack: NetworkStack) -> None:
    stack.network.sites[WS] = web_answer("", 101)
    await stack.make("http.handshake", endpoint="ws", origin_of="api")
    assert stack.network.asked[0][1]["origin"] == "http://127.0.0.1:8000"
    assert "Origin: http://127.0.0.1:8000'" in stack.command("http.handshake", endpoint="ws", origin_of="api")
    gone = await stack.make("http.handshake", endpoint="ws", origin_of="gone")
    assert gone.facts["upgraded"] is None
    with pytest.raises(ValidationError, match="either origin or origin_of"):
        stack.command("http.handshake", endpoint="ws", origin="http://page.example", origin_of="api")


async def test_a_handshake_without_an_answer_is_not_upgraded(stack: NetworkStack) -> None:
    stack.network.sites[WS] = no_answer("refused")
    facts = (await stack.make("http.handshake", endpoint="ws")).facts
    assert (facts["upgraded"], facts["reason"], facts["status"]) == (False, "refused", None)


def test_an_address_with_a_password_is_shown_without_it(stack: NetworkStack) -> None:
    assert "geheim" not in stack.command("http.get", url="https://u:geheim@h.example/")
    assert "geheim" not in stack.command("http.get", url="https://h.example/?token=geheim")
