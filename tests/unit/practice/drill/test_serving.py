"""Which changes serve a cause: its own fixes, and what does the same to the same."""

import pytest
from played import issues

from console.practice.drill.serving import Serving, changes_made

ROLES = {"sms-backend": "backend", "sms-postgres": "database"}


def restarted(name: str, action: str, **state: str) -> bool:
    """Whether that restart serves a port that was taken: the last of its fixes starts what is down."""
    entry = {"at": 5.0, "kind": "fix_begins", "fix": f"restart-{name}", "action": action, "risk": "R2", "command": "…"}
    (change,) = changes_made([{**entry, "targets": [{"name": name, **state}]}])
    return Serving(("sms.c1.port-conflict",), (), issues(), ROLES).serves(change)


@pytest.mark.parametrize("action", ["containers.restart", "containers.restart_one", "containers.restart_in_order"])
def test_a_restart_of_what_runs_is_not_the_start_of_what_is_down(action: str) -> None:
    assert not restarted("sms-postgres", action, state="running")
    assert restarted("sms-postgres", action, state="exited")
    assert restarted("sms-postgres", action, state="restarting")


def test_a_unit_that_runs_is_told_by_what_systemd_says_of_it() -> None:
    assert not restarted("sms-postgres", "service.restart", active="active")
    assert restarted("sms-postgres", "service.restart", active="failed")


def test_a_log_that_does_not_tell_the_state_blames_nobody() -> None:
    assert restarted("sms-postgres", "containers.restart")
