"""Reads the truth of a scenario: for the referee, the review and lint, and for nothing that a trainee's screen uses."""

from pathlib import Path

from console.guides.issue import CheckCall
from console.guides.parts import PartReader
from console.practice.drill.outline import SCENARIOS, ProbePart, TruthOutline, check_id, part_reader
from console.practice.drill.scenario import Errand, Probe, Truth
from console.problem import Problems


def load_truth(name: str, folder: Path = SCENARIOS) -> Truth:
    """The truth of the scenario of that id; raises Problems with everything that is wrong with its file."""
    return read_truth(folder / "truth" / f"{name}.yaml")


def read_truth(path: Path) -> Truth:
    """Read one file; raises Problems with everything that is wrong with it."""
    reader = part_reader(path, "a truth")
    outline = reader.validated(TruthOutline, reader.document.value, ())
    check_id(reader, path)
    raw = reader.document.value.get("probes")
    probes = [_probe(reader, index, value) for index, value in enumerate(raw if isinstance(raw, tuple) else ())]
    if outline is not None:
        _agrees(reader, outline)
    if outline is None or reader.problems:
        raise Problems(reader.problems)
    return Truth(
        id=outline.id,
        causes=outline.causes,
        accepted=outline.accepted,
        probes=tuple(probe for probe in probes if probe is not None),
        keep_tables=outline.keep.tables,
        mending=outline.mending,
        debrief=outline.debrief,
        errands=tuple(Errand(item.fault, item.who, item.after, item.says) for item in outline.errands),
    )


def _probe(reader: PartReader, index: int, value: object) -> Probe | None:
    where = ("probes", index)
    part = reader.validated(ProbePart, value, where)
    check = reader.check((*where, "check"), part.check) if part else None
    if part is None or check is None:
        return None
    parameters = reader.validated(check.parameters, dict(part.with_), (*where, "with"))
    if parameters is None:
        return None
    call = CheckCall(check.name, parameters)
    condition = reader.condition((*where, "holds"), part.holds, call)
    return Probe(part.id, part.title, call, condition) if condition else None


def _agrees(reader: PartReader, outline: TruthOutline) -> None:
    """What the parts of a truth say of each other."""
    seen: set[str] = set()
    for index, part in enumerate(outline.probes):
        name = part.get("id") if isinstance(part, dict) else None
        if name in seen:
            reader.wrong(("probes", index, "id"), f"there are two probes {name!r}", "The review tells them apart by their ids.")
        seen.add(str(name))
    for key, names in (("causes", outline.causes), ("mending", outline.mending), ("keep.tables", outline.keep.tables)):
        for index, item in enumerate(names):
            if item in names[:index]:
                reader.wrong((*key.split("."), index), f"{item} is there twice", "Remove one.")
    for index, errand in enumerate(outline.errands):
        if errand.fault not in outline.causes:
            reader.no_such(("errands", index, "fault"), "cause in `causes`", errand.fault, outline.causes)
    for other, cause in outline.accepted.items():
        if cause not in outline.causes:
            reader.no_such(("accepted", other), "cause in `causes`", cause, outline.causes)
        if other in outline.causes:
            reader.wrong(("accepted", other), f"{other} is one of `causes` itself", "Remove it here.", key=True)
