"""The examples in docs/guides.md are real issues, and its commands do what it says."""

import re
import shlex
from pathlib import Path

import pytest
from guide_stack import Stack, clock

from console.cli import run
from console.config import shipped_config
from console.guides.compiling import compile_issue
from console.guides.walk import Verdict, Walk

PAGE = Path(__file__).parents[3] / "docs" / "guides.md"


async def test_the_example_compiles_and_walks() -> None:
    match = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert match is not None

    issue = compile_issue(match.group(1), Path("sms/h9-proxy.yaml"), "sms")
    walk = Walk(issue, Stack().system, inputs={"changed": "yes"}, clock=clock)
    conclusion = await walk.finish()

    assert conclusion is not None
    assert conclusion.verdict is Verdict.CAUSE
    assert [made.step for made in walk.path] == ["backend", "proxy", "changed"]


def test_an_issue_of_ones_own_is_made_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = PAGE.read_text(encoding="utf-8")
    text = re.search(r"```yaml own\n(.*?)```", page, re.S)
    named = re.search(r"```toml\n\[systems.sms\]\n(.*?)\n```", page, re.S)
    commands = re.findall(r"^triage (.+?)(?:  +#.*)?$", page[: page.index("## 1.")], re.M)
    assert text
    assert named
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "x1-pages.yaml").write_text(text[1])
    shipped = shipped_config().read_text(encoding="utf-8")
    (tmp_path / "config.toml").write_text(shipped.replace('guides = ["sms", "smsops"]', named[1]))
    monkeypatch.chdir(tmp_path)

    ended = {command: run(shlex.split(command)) for command in commands if not command.startswith("practice")}

    assert [code for command, code in ended.items() if "server-down" in command] == [3]
    assert {code for command, code in ended.items() if "server-down" not in command} == {0}
    assert len(ended) == 6
    told = capsys.readouterr().out
    for words in (
        "Nothing to mend.",
        "x1   low",
        "clear  ours.x1",
        "FOUND pages-down  ours.x1",
        "The text fits",
        "# ours: Student",
    ):
        assert words in told
