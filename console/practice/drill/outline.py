"""The shape of a scenario's file and of its truth's file, and the way from a file to its parts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from console.guides.parameters import Seconds
from console.guides.parts import PartReader
from console.guides.schema import Text, Word
from console.guides.yaml_lines import Refused, read
from console.problem import Problem, Problems

SCENARIOS: Final = Path(__file__).parents[1] / "scenarios"
"""The shipped scenarios: one file each, their truths in the folder `truth` beside them."""

CauseId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*\.[a-z][0-9]{1,2}\.[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=100)]
Table = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*$", max_length=60)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class FaultPart(_Part):
    fault: CauseId
    """A fault of the stacks, called like the cause that it makes true: `<issue>.<cause>`."""
    at: Seconds
    """When it is injected, counted from the beginning of the round."""


class NoisePart(_Part):
    noise: Word
    """A noise of the stacks: it looks suspicious and is harmless."""
    at: Seconds


class ReportPart(_Part):
    at: Seconds
    who: Text
    """Who says it, as in `a teacher`."""
    text: Text
    """As a user would word it."""


class ScenarioOutline(_Part):
    id: Word
    """The file's name. It begins with the system and gives nothing of the cause away."""
    title: Text
    system: Literal["sms", "planner", "dotmac", "sovd"]
    stack: Literal["simulated", "lab", "either"]
    """Where it can be played."""
    severity: Literal["critical", "high", "medium", "low"]
    respond: Seconds
    """The time in which the guide wants a response."""
    brief: Text
    """What the pager says, in two or three sentences."""
    faults: tuple[FaultPart, ...] = ()
    """In the order of their times; none when nothing is wrong."""
    noise: tuple[NoisePart, ...] = ()
    reports: tuple[ReportPart, ...] = ()
    hints: tuple[Text, ...] = Field(min_length=3, max_length=3)
    """Where to look; which part it is; which kind of cause."""
    hide_steps: bool = False
    """The console does not offer the trees; the responder diagnoses alone."""


class ProbePart(_Part):
    id: Word
    title: Text
    """What a user can do while it holds."""
    check: Text
    with_: Mapping[str, Any] = Field(default_factory=dict, alias="with")
    holds: Text
    """The condition over the check's facts that the healthy stack fulfils and the broken one does not."""


class KeepPart(_Part):
    tables: tuple[Table, ...] = ()
    """Tables whose rows must still be there in the end."""


class ErrandPart(_Part):
    """What others mend once a diagnosis names the cause: nobody can do it from the console."""

    fault: CauseId
    who: Text
    """As in `the release team`."""
    after: Seconds
    """How long after the diagnosis."""
    says: Text
    """What the responder is told then."""


class TruthOutline(_Part):
    id: Word
    """The scenario's."""
    causes: tuple[CauseId, ...] = ()
    """What is to be diagnosed; none when nothing is wrong."""
    accepted: Mapping[CauseId, CauseId] = Field(default_factory=dict)
    """Causes that also count as right, each with the one that it stands for."""
    probes: tuple[Any, ...] = Field(min_length=1)
    keep: KeepPart = Field(default_factory=KeepPart)
    mending: tuple[CauseId, ...] = ()
    """Fixes (`<issue>.<fix>`) that are no needless ones although the cause does not name them."""
    errands: tuple[ErrandPart, ...] = ()
    debrief: Text
    """Markdown: what one saw, why, the shortest way, what misleads."""


def part_reader(path: Path, what: str) -> PartReader:
    """A reader of this file, whose value is a mapping; raises Problems."""
    try:
        document = read(path.read_bytes(), str(path))
    except OSError as error:
        raise Problems([Problem(str(path), 1, 1, f"cannot be read: {error.strerror}")]) from None
    except Refused as error:
        raise Problems([error.problem]) from None
    reader = PartReader(document, what)
    if not isinstance(document.value, dict):
        reader.wrong((), f"{what} is a mapping: id, …", "docs/practice.md shows one.")
        raise Problems(reader.problems)
    return reader


def check_id(reader: PartReader, path: Path) -> None:
    """The id is the file's name."""
    name = reader.document.value.get("id")
    if isinstance(name, str) and name != path.stem:
        reader.wrong(("id",), f"the file of {name} must be called {name}.yaml", "It is found by its name.")
