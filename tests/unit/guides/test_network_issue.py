"""An issue that asks the network, from its YAML to its outcome, with inputs."""

from pathlib import Path

import pytest
from guide_stack import sms_config
from network_stack import FakeNetwork, NetworkStack, web_answer

from console.config import load_config, shipped_config
from console.guides.compiling import compile_issue
from console.guides.walk import Walk
from console.problem import Problems
from console.system import System, live_system

LOGIN = "http://127.0.0.1:8000/api/login"
ISSUE = """\
id: demo.s2
title: A user cannot log in
severity: high
escalate: {after: 10m, to: somebody}
inputs:
  email: {kind: email, title: E-mail of the user}
  password: {kind: password, title: A test password}
start: ready
steps:
  ready:
    title: Is it ready?
    check: http.get
    with: {endpoint: ready, fields: {redis: [checks.redis, text]}}
    branches:
      - {when: not answered, cause: down}
      - {when: redis == 'down', cause: cache}
      - {else: login}
  login:
    title: Does the login work?
    check: http.post
    with: {endpoint: login, json: {email: $email, password: $password}}
    branches:
      - {when: status == 401, cause: password}
      - {else: clear}
causes:
  down: {summary: It is down.}
  cache: {summary: Its cache is down.}
  password: {summary: The password is wrong.}
"""


def compiled(text: str = ISSUE):
    return compile_issue(text, Path("demo") / "s2-demo.yaml", "demo")


@pytest.fixture
def stack() -> NetworkStack:
    config = sms_config().model_copy(update={"endpoints": {"ready": "http://127.0.0.1:8000/ready", "login": LOGIN}})
    made = NetworkStack(config)
    made.network.sites = {config.endpoints["ready"]: web_answer('{"checks": {"redis": "up"}}'), LOGIN: web_answer("no", 401)}
    return made


def system_of(stack: NetworkStack) -> System:
    return System(stack.config, host=stack.host, engine=stack.engine, network=stack.network)  # type: ignore[arg-type]


async def test_inputs_reach_the_request_and_the_walk_names_the_cause(stack: NetworkStack) -> None:
    walk = Walk(compiled(), system_of(stack), inputs={"email": "ann@school.example", "password": "hunter2"})
    conclusion = await walk.finish()
    assert conclusion is not None
    assert conclusion.cause is not None
    assert conclusion.cause.id == "password"
    network: FakeNetwork = stack.network
    assert network.asked[-1][1]["json"] == {"email": "ann@school.example", "password": "hunter2"}
    assert "hunter2" not in repr([(step.command, step.evidence, step.title) for step in walk.path])


async def test_a_field_of_the_answer_decides_without_any_input(stack: NetworkStack) -> None:
    stack.network.sites[stack.config.endpoints["ready"]] = web_answer('{"checks": {"redis": "down"}}', 503)
    conclusion = await Walk(compiled(), system_of(stack), inputs={}).finish()
    assert conclusion is not None
    assert conclusion.cause is not None
    assert conclusion.cause.id == "cache"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("redis == 'down'", "redis > 3", "redis"),
        ("redis == 'down'", "cache == 'down'", "unknown name 'cache'"),
        ("[checks.redis, text]", "[checks.redis, words]", "redis"),
        ("[checks.redis, text]", '["${email}", text]', "takes no input"),
        ("endpoint: ready,", "endpoint: ready, link: pay,", "needs one of"),
    ],
)
def test_mistakes_are_told_when_the_issue_is_loaded(old: str, new: str, message: str) -> None:
    with pytest.raises(Problems) as caught:
        compiled(ISSUE.replace(old, new))
    assert message in str(caught.value)


async def test_a_configured_system_has_a_network_that_is_made_when_it_is_asked() -> None:
    system = live_system(load_config(shipped_config()).config.system("sms"))
    assert await system.need_network().tcp("127.0.0.1", 1) == "refused"
    await system.aclose()
