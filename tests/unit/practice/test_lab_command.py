"""`triage lab` where no engine is needed: words and exit codes."""

import io

import pytest

from console.config import Environment, SystemConfig, load_config, shipped_config
from console.config_sources import EngineConfig
from console.practice.lab.command import run


@pytest.fixture
def config() -> SystemConfig:
    return load_config(shipped_config()).config.systems["sms"]


def lab(config: SystemConfig, action: str, fault: str | None = None) -> tuple[int, str]:
    out = io.StringIO()
    return run(action, "sms", config, fault, out), out.getvalue()


def test_an_unknown_action_is_bad_usage(config: SystemConfig) -> None:
    code, text = lab(config, "explode")
    assert code == 2
    assert "up, down, status, inject, undo" in text


@pytest.mark.parametrize("fault", [None, "sms.c2.gremlins"])
def test_injecting_no_or_an_unknown_fault_lists_the_faults(config: SystemConfig, fault: str | None) -> None:
    code, text = lab(config, "inject", fault)
    assert code == 2
    assert "sms.c2.pool-exhausted" in text


def test_a_production_system_is_never_touched(config: SystemConfig) -> None:
    code, text = lab(config.model_copy(update={"environment": Environment.PRODUCTION}), "up")
    assert code == 2
    assert "production" in text


def test_without_an_engine_the_command_fails_with_what_to_do(config: SystemConfig) -> None:
    nowhere = config.model_copy(update={"engine": EngineConfig(host="unix:///nonexistent/docker.sock")})
    code, text = lab(nowhere, "status")
    assert code == 1
    assert "No container engine answers at unix:///nonexistent/docker.sock" in text
    assert "apt-get install docker.io" in text


def test_undoing_a_fault_that_is_not_in_place_says_so(config: SystemConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.practice.lab.injection.Injection.healed", lambda self: None)
    assert lab(config, "undo", "sms.c1.container-down") == (0, "sms.c1.container-down is not in place.\n")
