"""The example in docs/guides.md is a real issue."""

import re
from pathlib import Path

from guide_stack import Stack, clock

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
