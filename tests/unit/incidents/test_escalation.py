from console.config import load_config, shipped_config
from console.guides.loader import load_issues
from console.guides.walk import Walk
from console.incidents.escalation import escalation_text
from console.practice.simulated.system import simulated_system

NOW = 1_795_000_000.0


async def test_the_hand_over_names_whom_to_call_what_is_known_and_what_was_noted() -> None:
    config = load_config(shipped_config()).config.system("sms")
    system = simulated_system(config, fault="sms.c2.pool-exhausted", clock=lambda: NOW)
    (issue,) = load_issues(("sms",), ("c2",))
    walk = Walk(issue, system)
    await walk.finish()
    await walk.note("asked the users")
    text = escalation_text(walk, system, began_at=NOW - 600, now=NOW)
    lines = text.split("\n")
    assert lines[0] == "To: the database administrator"
    assert lines[1] == "CRITICAL: Database connection failures (sms.c2)"
    assert "10 min ago" in lines[3]
    assert any(line.startswith("Outcome: cause pool-exhausted.") for line in lines)
    assert any(line.startswith("- Does PostgreSQL accept connections? ") and "too_many_clients" in line for line in lines)
    assert lines[-1].endswith("asked the users")


async def test_before_the_first_check_it_says_that_nothing_was_checked() -> None:
    system = simulated_system(load_config(shipped_config()).config.system("sms"), clock=lambda: NOW)
    (issue,) = load_issues(("sms",), ("c1",))
    text = escalation_text(Walk(issue, system), system, began_at=NOW, now=NOW)
    assert "Nothing was checked yet." in text
