"""Finds and reads scenarios: what a trainee may know of a round. The truth of it is read by `truths` alone."""

import difflib
from itertools import pairwise
from pathlib import Path

from console.guides.issue import Severity
from console.practice.drill.outline import SCENARIOS, ScenarioOutline, check_id, part_reader
from console.practice.drill.scenario import PlannedFault, PlannedNoise, PlannedReport, Scenario, StackKind
from console.problem import Problem, Problems


def scenario_ids(folder: Path = SCENARIOS) -> tuple[str, ...]:
    """Every scenario that is there, in the order of the alphabet."""
    return tuple(sorted(path.stem for path in folder.glob("*.yaml") if not path.name.startswith(".")))


def load_scenario(name: str, folder: Path = SCENARIOS) -> Scenario:
    """The scenario of that id; raises Problems with everything that is wrong with its file."""
    known = scenario_ids(folder)
    if name not in known:
        close = difflib.get_close_matches(name, known, 1)
        advice = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(known) or 'none'}."
        raise Problems([Problem("SCENARIO", 1, 1, f"there is no scenario {name!r}", advice)])
    return read_scenario(folder / f"{name}.yaml")


def read_scenario(path: Path) -> Scenario:
    """Read one file; raises Problems with everything that is wrong with it."""
    reader = part_reader(path, "a scenario")
    outline = reader.validated(ScenarioOutline, reader.document.value, ())
    check_id(reader, path)
    if outline is None or reader.problems:
        raise Problems(reader.problems)
    if not outline.id.startswith(f"{outline.system}-"):
        reader.wrong(("id",), f"the id does not begin with {outline.system}-", "It begins with its system, and is neutral.")
    for key, times in (
        ("faults", [item.at for item in outline.faults]),
        ("noise", [item.at for item in outline.noise]),
        ("reports", [item.at for item in outline.reports]),
    ):
        for index, (earlier, later) in enumerate(pairwise(times), 1):
            if later < earlier:
                reader.wrong((key, index, "at"), f"{key}.{index} comes before {key}.{index - 1}", "Order them by time.")
    if outline.faults and outline.faults[0].at:
        reader.wrong(("faults", 0, "at"), "the first fault is not there when the round begins", "The clock runs from it: at: 0s.")
    first, second, third = outline.hints
    if len({first.strip(), second.strip(), third.strip()}) < 3:
        reader.wrong(("hints",), "the hints are not three different ones", "Each tells more than the one before.")
    if reader.problems:
        raise Problems(reader.problems)
    return Scenario(
        id=outline.id,
        title=outline.title,
        system=outline.system,
        stack=StackKind(outline.stack),
        severity=Severity(outline.severity),
        respond_s=outline.respond,
        brief=outline.brief,
        faults=tuple(PlannedFault(item.fault, item.at) for item in outline.faults),
        noise=tuple(PlannedNoise(item.noise, item.at) for item in outline.noise),
        reports=tuple(PlannedReport(item.at, item.who, item.text) for item in outline.reports),
        hints=(first, second, third),
        hide_steps=outline.hide_steps,
    )
