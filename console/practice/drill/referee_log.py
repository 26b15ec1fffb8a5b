"""What a referee writes: to the trainee, and for itself; in the forms that the grade and the review read."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from console.practice.drill.rounds import Round
from console.practice.drill.scenario import Scenario, Truth
from console.practice.drill.stack import Baseline, Stack
from console.practice.drill.watching import Probed, Sample, lost_since

RETOLD_EVERY_S: Final = 10.0
"""A probe that stays as it is is written down again so often."""


class RefereeLog:
    """The two logs of one round that its referee writes. Raises OSError, but not once `mending`: that must not stop for it."""

    def __init__(self, round_: Round, stack: Stack) -> None:
        self._public, self._private = round_.public(), round_.referee()
        self._stack = stack
        self._written: dict[str, tuple[bool | None, float]] = {}
        self.losses: list[str] = []
        self.mending = False

    def now(self) -> float:
        return self._stack.system.clock()

    def tell(self, kind: str, *, at: float | None = None, **details: Any) -> None:
        """Let the trainee know; `at` is now when it is not given."""
        try:
            self._public.add(kind, self.now() if at is None else at, **details)
        except OSError:
            if not self.mending:
                raise

    def note(self, kind: str, *, at: float | None = None, **details: Any) -> None:
        """Keep for the grade and the review, hidden from the trainee."""
        try:
            self._private.add(kind, self.now() if at is None else at, **details)
        except OSError:
            if not self.mending:
                raise

    def tell_round(self, name: str, scenario: Scenario, person: str) -> None:
        """What the round is, as far as its trainee may know."""
        self.tell(
            "round",
            round=name,
            title=scenario.title,
            system=self._stack.system.config.name,
            stack=self._stack.kind,
            severity=scenario.severity.value,
            respond_s=scenario.respond_s,
            brief=scenario.brief,
            hints=len(scenario.hints),
            hide_steps=scenario.hide_steps,
            told=dict(self._stack.replies(tuple(planned.fault for planned in scenario.faults))),
            person=person,
        )

    def note_truth(self, scenario: Scenario, truth: Truth, person: str) -> None:
        """What grades the round; written again when a facilitator adds to it."""
        config = self._stack.system.config
        self.note(
            "truth",
            scenario=scenario.id,
            causes=truth.causes,
            accepted=dict(truth.accepted),
            mending=truth.mending,
            keep_tables=truth.keep_tables,
            faults=[asdict(fault) for fault in scenario.faults],
            debrief=truth.debrief,
            person=person,
            roles={name: role for role, name in (*config.roles.items(), *config.units.items())},
        )

    def note_baseline(self, kind: str, found: Baseline) -> None:
        self.note(kind, parts=sorted(found.parts), rows=dict(found.rows))

    def note_look(self, at: float, found: Sequence[Probed], sample: Sample) -> None:
        """A probe is written when it changed, and now and then; a sample each time."""
        for probed in found:
            holds, written_at = self._written.get(probed.id, (None, float("-inf")))
            if holds != probed.holds or at - written_at >= RETOLD_EVERY_S:
                self._written[probed.id] = (probed.holds, at)
                facts = dict(probed.facts)
                self.note("probe", at=at, id=probed.id, holds=probed.holds, facts=facts, expected=probed.expected)
        self.note("sample", at=at, **asdict(sample))

    def note_lost(self, before: Baseline, now: Baseline) -> None:
        for what in lost_since(before, now):
            self.lose(what)

    def lose(self, what: str) -> None:
        """Something of the stack is gone; told once."""
        if what not in self.losses:
            self.losses.append(what)
            self.note("lost", what=what)
