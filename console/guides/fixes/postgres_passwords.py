"""A user's password in the service's own tables: hashed by the service itself, then written as any authored change is."""

from dataclasses import replace

from pydantic import Field, model_validator

from console.guides.checks.commands import docker, joined
from console.guides.fixes.action import Action, Applied, Plan, Preview
from console.guides.fixes.containers_run import command_of
from console.guides.fixes.postgres_change import ChangeParameters, make_change, plan_change
from console.guides.risk import Risk
from console.guides.sql import check_values
from console.reading import Failure, FailureKind
from console.sources.protocols.engine import ExecResult
from console.system import System
from console.text import clean

LIMIT_S = 15.0
LONGEST = 500
_SHOWN = "$password"


class ResetParameters(ChangeParameters):
    """As a change, whose `sql` uses :hash for what the command printed."""

    role: str = "backend"
    command: str = "hash"
    """The name of a command in the config's `commands`: it prints the hash of its last argument."""
    password: str = Field(min_length=1, max_length=200, repr=False)
    """An input of kind password: asked, never written down."""

    @model_validator(mode="after")
    def _well_formed(self) -> "ResetParameters":
        check_values(self.statements(), {**self.values, "hash": ""})
        return self

    def with_hash(self, found: str) -> ChangeParameters:
        """The change with the hash among its values."""
        values = {**self.values, "hash": found}
        return ChangeParameters(sql=self.sql, preview=self.preview, values=values, most_rows=self.most_rows)


async def _plan(system: System, wanted: ResetParameters) -> Plan:
    argv = command_of(system, wanted.command)
    plan = await plan_change(system, wanted.with_hash("$hash"))
    hashed = docker(system.config, "exec", system.container(wanted.role), *argv, _SHOWN)
    return replace(
        plan,
        effect="Only the password that was given lets this user in from now on. Make sure first that it is the user who asks.",
        way_back="None: the old hash is not kept. Reset it again.",
        command=joined([hashed, plan.command]),
    )


async def _reset(system: System, wanted: ResetParameters, preview: Preview) -> Applied:
    system.secrets.add(wanted.password)
    argv = (*command_of(system, wanted.command), wanted.password)
    result = await system.need_engine().execute(system.container(wanted.role), argv, timeout_s=LIMIT_S)
    found = _hash(result)
    if not found:
        message = f"The {wanted.role} did not tell the hash of the password (exit code {result.exit_code})."
        advice = f"Try the command {wanted.command!r} of the configuration by hand."
        return Applied(False, (), Failure(FailureKind.DECLINED, clean(message), clean(advice)))
    system.secrets.add(found)
    return await make_change(system, wanted.with_hash(found), preview)


def _hash(result: ExecResult) -> str:
    """The one line that it printed; empty when it failed or printed anything else."""
    lines = result.stdout.decode("utf-8", "replace").split()
    return lines[0] if result.exit_code == 0 and len(lines) == 1 and len(lines[0]) <= LONGEST else ""


ACTIONS = (Action("postgres.reset_password", ResetParameters, Risk.R2, _plan, _reset),)
