"""What only a person can see: a question and its answers."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from console.guides.checks.check import Check, Fact, FactType, Findings, Outcome
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.text import clean


class AskParameters(Parameters):
    question: str = Field(min_length=1, json_schema_extra={"bind": False})
    answers: Mapping[str, str] = Field(default_factory=dict, json_schema_extra={"bind": False})
    """Id and text of each answer, in order; none: any text is an answer."""

    def outcome(self, given: str) -> Outcome:
        """An answer as the outcome of a check."""
        text = self.answers.get(given, given)
        return Outcome({"answer": given}, f"Answered: {clean(text)}", (), declared={fact.name: fact for fact in _facts(self)})


def _facts(parameters: AskParameters) -> tuple[Fact, ...]:
    return (Fact("answer", FactType.TEXT, "the answer's id", choices=tuple(parameters.answers)),)


async def _unanswered(_readings: Readings, _parameters: Any) -> Findings:
    return Findings({}, "Nobody has answered.")


CHECKS = (
    Check(
        name="ask",
        title="A question for the person",
        parameters=AskParameters,
        facts=(),
        facts_for=_facts,
        command=lambda _config, parameters: f"# ask: {parameters.question}",
        make=_unanswered,
    ),
)
