"""A guide's file → an Issue, or everything that is wrong with it in one go."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from console.guides.binding import binding_problems, template_of
from console.guides.fixes.action import FAMILIES as ACTION_FAMILIES
from console.guides.fixes.action import actions_of, find_action
from console.guides.graph import graph_problems
from console.guides.inputs import NAME, Input, Kind, Template, filled, uses
from console.guides.issue import Arm, Cause, CheckCall, Escalate, Fix, Goal, Issue, Leaf, Severity, Step, Verify
from console.guides.parts import Part, PartReader
from console.guides.risk import Risk, tightened
from console.guides.schema import BranchPart, CausePart, FixPart, InputPart, Outline, StepPart, VerifyPart
from console.guides.typing_rules import shadowed
from console.guides.yaml_lines import Document, Refused, read, texts
from console.guides.yaml_lines import Path as Where
from console.problem import Problems
from console.text import hide_secrets

_LEAVES = {leaf.value: leaf for leaf in (Leaf.CLEAR, Leaf.UNKNOWN, Leaf.ESCALATE)}


def compile_issue(text: str | bytes, path: Path, guide: str) -> Issue:
    """Read and check one issue; raises Problems. `guide` is the folder's name, which the issue's id must begin with."""
    try:
        document = read(text, str(path))
    except Refused as error:
        raise Problems([error.problem]) from None
    compiler = _Compiler(document, path, guide)
    issue = compiler.issue()
    if compiler.problems or issue is None:
        raise Problems(compiler.problems)
    return issue


class _Compiler(PartReader):
    def __init__(self, document: Document, path: Path, guide: str) -> None:
        super().__init__(document, "the issue")
        self._path = path
        self._guide = guide
        self._steps: dict[str, StepPart] = {}
        self._causes: dict[str, CausePart] = {}
        self._fixes: dict[str, FixPart] = {}
        self._calls: dict[str, CheckCall] = {}
        self._inputs: dict[str, Input] = {}

    def issue(self) -> Issue | None:
        raw = self.document.value
        if not isinstance(raw, dict):
            self.wrong((), "an issue is a mapping: id, title, severity, start, steps …", "docs/guides.md shows one.")
            return None
        outline = self.validated(Outline, raw, ())
        self._steps = self._parts(StepPart, raw, "steps")
        self._causes = self._parts(CausePart, raw, "causes")
        self._fixes = self._parts(FixPart, raw, "fixes")
        self._declare(raw)
        for where, text in texts(raw):
            if hide_secrets(text) != text:
                self.wrong(where, "this looks like a password or a key", "A guide is read by many: take it out.")
        if outline is not None:
            self._identity(outline)
        for name, step in self._steps.items():
            self._call(name, step)
        steps = {name: self._step(name, step) for name, step in self._steps.items()}
        causes = {name: self._cause(name, cause) for name, cause in self._causes.items()}
        fixes = {name: fix for name, part in self._fixes.items() if (fix := self._fix(name, part)) is not None}
        if outline is not None and not self.problems:
            self.problems += graph_problems(self.document, outline.start, steps, causes, fixes)
        if outline is None or self.problems:
            return None
        return Issue(
            id=outline.id,
            guide=self._guide,
            chord=outline.id.partition(".")[2],
            title=outline.title,
            severity=Severity(outline.severity),
            symptoms=outline.symptoms,
            errors=outline.errors,
            escalate=Escalate(outline.escalate.after, outline.escalate.to, outline.escalate.text or ""),
            start=outline.start,
            steps={name: step for name, step in steps.items() if step is not None},
            causes=causes,
            fixes=fixes,
            respond=outline.respond or "",
            inputs=self._inputs,
            path=self._path,
        )

    def _identity(self, outline: Outline) -> None:
        guide, _, chord = outline.id.partition(".")
        if guide != self._guide:
            self.wrong(("id",), f"the id begins with {guide!r}, but the folder is {self._guide!r}", "They must be the same.")
        stem = self._path.stem
        if stem != chord and not stem.startswith(f"{chord}-"):
            self.wrong(("id",), f"the file of {outline.id} must be called {chord}-….yaml", "It is found by its chord.")

    def _parts(self, model: type[Part], raw: Mapping[str, Any], key: str) -> dict[str, Part]:
        parts = raw.get(key)
        if not isinstance(parts, dict):
            return {}
        found: dict[str, Part] = {}
        for name, value in parts.items():
            part = self.validated(model, value, (key, name))
            if name in _LEAVES:
                self.wrong((key, name), f"{name!r} is the name of a leaf", "Choose another name.", key=True)
            if part is not None:
                found[name] = part
        return found

    def _declare(self, raw: Mapping[str, Any]) -> None:
        """The inputs, and those that nothing uses."""
        parts = self._parts(InputPart, raw, "inputs")
        self._inputs = {name: Input(name, Kind(part.kind), part.title) for name, part in parts.items()}
        parts_with: list[StepPart | FixPart] = [*self._steps.values(), *self._fixes.values()]
        used = {use.name for part in parts_with for use in uses(part.with_)}
        for name in self._inputs:
            if not re.fullmatch(NAME, name):
                self.wrong(("inputs", name), f"{name!r} is no name for an input", "Small letters, digits, _ and -.", key=True)
            elif name in self._steps and self._steps[name].check == "ask":
                self.wrong(("inputs", name), f"{name!r} is an input and a step that asks", "Rename one of them.", key=True)
            elif name not in used:
                self.wrong(("inputs", name), f"no step and no fix uses the input {name!r}", "Remove it, or use it.", key=True)

    def _parameters(self, model: type[Part], raw: Mapping[str, Any], where: Where) -> tuple[Part | None, Template | None]:
        """Parameters and, when they hold inputs, their template; then the parameters are validated with samples."""
        template = template_of(model, raw, self._inputs)
        if template is None:
            return self.validated(model, dict(raw), where), None
        wrong = list(binding_problems(self.document, where, model, raw, self._inputs))
        self.problems += wrong
        if wrong:
            return None, None
        samples = {item.name: item.sample for item in template.inputs}
        return self.validated(model, filled(raw, samples), where), template

    def _call(self, name: str, step: StepPart) -> None:
        where: Where = ("steps", name)
        check = self.check((*where, "check"), step.check)
        if check is None:
            return
        parameters, template = self._parameters(check.parameters, step.with_, (*where, "with"))
        if parameters is not None:
            self._calls[name] = CheckCall(check.name, parameters, template)

    def _step(self, name: str, step: StepPart) -> Step | None:
        where: Where = ("steps", name, "branches")
        call = self._calls.get(name)
        arms = [
            arm for index, branch in enumerate(step.branches) if (arm := self._arm((*where, index), branch, call)) is not None
        ]
        self._order(where, step.branches)
        conditions = [(index, arm.condition) for index, arm in enumerate(arms) if arm.condition is not None]
        if len(arms) == len(step.branches):
            for later, earlier in shadowed([condition for _, condition in conditions]):
                path = (*where, conditions[later][0], "when")
                self.wrong(path, f"this is never reached: {conditions[earlier][1].text!r} above holds whenever it does")
        if call is None:
            return None
        return Step(name, step.title, call, tuple(arms), step.why or "")

    def _arm(self, where: Where, branch: BranchPart, call: CheckCall | None) -> Arm | None:
        given = {key for key in ("when", "go", "cause", "else_", "unknown") if getattr(branch, key) is not None}
        if given in ({"when", "go"}, {"when", "cause"}):
            condition = self.condition((*where, "when"), branch.when or "", call)
            goal = self._goal(where, "go" if branch.go else "cause", branch.go or branch.cause or "")
            return Arm(branch.when or "", goal, condition) if goal and condition else None
        if given == {"else_"}:
            goal = self._goal(where, "else", branch.else_ or "")
            return Arm("else", goal) if goal else None
        if given == {"unknown"}:
            goal = self._goal(where, "unknown", branch.unknown or "")
            return Arm("unknown", goal, unknown=True) if goal else None
        self.wrong(where, "a branch is one of: when + go, when + cause, else, unknown", "Write one of these four forms.")
        return None

    def _order(self, where: Where, branches: Sequence[BranchPart]) -> None:
        otherwise = [index for index, branch in enumerate(branches) if branch.else_ is not None]
        if not otherwise:
            self.wrong(where, "the branches have no else", "Missing it, a walk could end nowhere: add {else: …} as the last.")
        for index in otherwise:
            rest = branches[index + 1 :]
            if any(branch.unknown is None for branch in rest):
                self.wrong((*where, index), "nothing after else is ever reached", "Put it last.")
        if sum(branch.unknown is not None for branch in branches) > 1:
            self.wrong(where, "there are two branches for unknown", "Keep one.")

    def _goal(self, where: Where, key: str, name: str) -> Goal | None:
        raw = self.document.value
        steps = raw.get("steps") if isinstance(raw.get("steps"), dict) else {}
        causes = raw.get("causes") if isinstance(raw.get("causes"), dict) else {}
        if key != "cause" and name in steps:
            return Goal(Leaf.STEP, name)
        if key != "go" and name in causes:
            return Goal(Leaf.CAUSE, name)
        if key != "cause" and name in _LEAVES:
            return Goal(_LEAVES[name])
        what = {"go": "step or leaf", "cause": "cause"}.get(key, "step, cause or leaf")
        known = [*(causes if key != "go" else ()), *((*steps, *_LEAVES) if key != "cause" else ())]
        self.no_such((*where, key), what, name, known)
        return None

    def _cause(self, name: str, part: CausePart) -> Cause:
        for index, fix in enumerate(part.fixes):
            raw = self.document.value.get("fixes")
            known = list(raw) if isinstance(raw, dict) else []
            if fix not in known:
                self.no_such(("causes", name, "fixes", index), "fix", fix, known)
        return Cause(name, part.summary, part.fixes, part.continues or "", part.notes or "", part.explains)

    def _fix(self, name: str, part: FixPart) -> Fix | None:
        where: Where = ("fixes", name)
        action = find_action(part.action)
        if action is None:
            names = [action.name for family in ACTION_FAMILIES for action in actions_of(family)]
            self.no_such((*where, "action"), "action", part.action, names)
            return None
        parameters, template = self._parameters(action.parameters, part.with_, (*where, "with"))
        authored = Risk(part.risk) if part.risk else None
        if authored is not None and authored < action.risk:
            message = f"{action.name} is at least {action.risk.value} ({action.risk.words})"
            self.wrong((*where, "risk"), message, "A guide can tighten a risk, never lower it.")
        if action.do is not None and part.verify is None:
            self.wrong(where, f"{name}: there is no verify", "Say which step's check must hold after it.", key=True)
        verify = self._verify((*where, "verify"), part.verify) if part.verify else None
        if parameters is None:
            return None
        risk = tightened(action.risk, authored)
        return Fix(name, part.title, risk, action.name, parameters, verify, part.way_back or "", part.notes or "", template)

    def _verify(self, where: Where, part: VerifyPart) -> Verify | None:
        if part.for_ >= part.within:
            self.wrong((*where, "within"), "within must be longer than for", "It must have time to hold so long.")
        if part.step not in self._steps:
            self.no_such((*where, "step"), "step", part.step, list(self._steps))
            return None
        call = self._calls.get(part.step)
        condition = self.condition((*where, "holds"), part.holds, call)
        return Verify(call, condition, part.for_, part.within) if call and condition else None
