"""The shape of a guide's file. What the shape cannot say (names that must exist, facts, risks) is checked in `compiling`."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from console.guides.inputs import NAME
from console.guides.parameters import Seconds

Text = Annotated[str, Field(min_length=1, max_length=4000)]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
InputName = Annotated[str, Field(pattern=rf"^{NAME}$", max_length=40)]
IssueId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*\.[a-z][0-9]{1,2}$")]


Explained = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(\.[a-z][0-9]{1,2}(\.[a-z][a-z0-9-]*)?)?$", max_length=100)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class BranchPart(_Part):
    """One of: when + go, when + cause, else, unknown. Branches are tried in order, the first that holds is taken."""

    when: Text | None = None
    """A condition over the facts of the step's check."""
    go: Word | None = None
    """The next step, or clear, unknown, escalate."""
    cause: Word | None = None
    """The cause that is found."""
    else_: Word | None = Field(default=None, alias="else")
    """Where everything else goes: a step, a cause, clear, unknown or escalate. Every list ends with it."""
    unknown: Word | None = None
    """Where it goes when the facts could not be read. Without it the walk ends as unknown."""


class StepPart(_Part):
    title: Text
    """The question that the step answers."""
    why: Text | None = None
    """Why it is asked, in Markdown."""
    check: Text
    """A check of the registry; `triage lint` names them."""
    with_: Mapping[str, Any] = Field(default_factory=dict, alias="with")
    """The parameters of the check."""
    branches: tuple[BranchPart, ...] = Field(min_length=1, max_length=6)


class CausePart(_Part):
    summary: Text
    """What is wrong, in one sentence."""
    fixes: tuple[Word, ...] = ()
    """In the order in which they should be tried."""
    continues: IssueId | None = None
    """The issue that finds out more from here."""
    explains: tuple[Explained, ...] = ()
    """What this cause drags along and comes before: guides (`smsops`), issues (`sms.m1`), causes (`sms.c1.container-down`)."""
    notes: Text | None = None


class VerifyPart(_Part):
    step: Word
    """The step whose check is made again."""
    holds: Text
    """The condition over its facts."""
    for_: Seconds = Field(alias="for")
    """How long it must hold without a break."""
    within: Seconds
    """When it has failed."""


class FixPart(_Part):
    title: Text
    risk: Literal["R1", "R2", "R3", "R4"] | None = None
    """At least what the action implies; without it, exactly that."""
    action: Text
    with_: Mapping[str, Any] = Field(default_factory=dict, alias="with")
    verify: VerifyPart | None = None
    way_back: Text | None = None
    notes: Text | None = None


class EscalatePart(_Part):
    after: Seconds
    """The time on this issue after which one does not go on alone."""
    to: Text
    text: Text | None = None


class InputPart(_Part):
    kind: Literal["email", "number", "word", "text", "folder", "url", "host", "correlation-id", "token", "password"]
    """The form of the value; token and password are secrets, never shown and never kept."""
    title: Text
    """What is wanted, as the person is asked for it."""


class Outline(_Part):
    """An issue with its parts unread: each is validated by itself, so that one error does not hide the others."""

    id: IssueId
    title: Text
    severity: Literal["critical", "high", "medium", "low"]
    respond: Text | None = None
    symptoms: tuple[Text, ...] = ()
    """What users say."""
    errors: tuple[Text, ...] = ()
    """Error texts that lead here; found by search and in logs."""
    escalate: EscalatePart
    inputs: Mapping[str, Any] = Field(default_factory=dict)
    """What a person is asked for, by name: `$name` as a value under `with:`, `${name}` inside one."""
    start: Word
    """The first step."""
    steps: Mapping[str, Any] = Field(min_length=1)
    causes: Mapping[str, Any] = Field(default_factory=dict)
    fixes: Mapping[str, Any] = Field(default_factory=dict)
