"""A guide as prose says everything that its trees do."""

import pytest

from console.config import load_config, shipped_config
from console.guides.conditions import parse
from console.guides.issue import Issue
from console.guides.loader import load_issues
from console.guides.render import in_words, render_guide

CONFIG = load_config(shipped_config()).config
GUIDES = {guide: system for system in CONFIG.systems.values() for guide in system.guides}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("used_percent >= 90 and not emergency", "*used_percent* is at least 90 and not *emergency*"),
        ("reason in ('login', 'refused')", "*reason* is one of `login`, `refused`"),
        ("a > 1h or (b != '' and c == true)", "*a* is more than 3600 or (*b* is not empty and *c* is true)"),
        ("not (a or b)", "not (*a* or *b*)"),
    ],
)
def test_a_condition_reads_as_a_person_would_say_it(text: str, words: str) -> None:
    assert in_words(parse(text).node) == words


@pytest.mark.parametrize("guide", GUIDES)
def test_nothing_of_a_tree_is_left_out(guide: str) -> None:
    issues: tuple[Issue, ...] = load_issues((guide,))
    text = render_guide(guide, issues, GUIDES[guide])
    for issue in issues:
        parts = [issue.title, *issue.symptoms, *issue.errors, issue.escalate.to]
        parts += [part for step in issue.steps.values() for part in (step.title, step.why)]
        parts += [part for cause in issue.causes.values() for part in (cause.id, cause.summary)]
        parts += [part for fix in issue.fixes.values() for part in (fix.id, fix.title)]
        assert [part for part in parts if part not in text] == []
    assert render_guide(guide, issues, GUIDES[guide]) == text


def test_commands_name_the_inputs_and_causes_what_follows_from_them() -> None:
    text = render_guide("sms", load_issues(("sms",)), GUIDES["sms"])
    assert "grades:student:$student_id" in text
    assert "'$email'" in text
    assert "sample.invalid" not in text
    assert "What only follows from it, and goes with it: `sms.c2`, `sms.c3`" in text
