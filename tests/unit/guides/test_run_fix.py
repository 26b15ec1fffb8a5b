"""Running a command of the deployment inside a container."""

import pytest
from guide_stack import Stack

from console.config import SystemConfig
from console.guides.fixes import Applied, apply_fix, preview_fix
from console.guides.fixes.containers_run import RunParameters
from console.guides.issue import Fix
from console.guides.risk import Risk
from console.reading import FailureKind, SourceError
from console.sources.protocols.engine import ExecResult, State

FIX = Fix("init", "Make the tables", Risk.R3, "containers.run", RunParameters(role="backend", command="init"), None, "", "")


def with_command(config: SystemConfig, text: str) -> SystemConfig:
    return config.model_copy(update={"commands": {"init": text}})


async def nothing(_kind: str, _details: object) -> None: ...


def stack(command: str = "bash -c 'cd /app && bash scripts/init_db.sh'") -> Stack:
    made = Stack()
    made.config = with_command(made.config, command)
    return made


async def test_a_running_container_runs_the_command_itself_and_its_output_is_shown() -> None:
    made = stack()
    made.engine.probe = ExecResult(0, b"created 12 tables\n", b"")
    preview = await preview_fix(made.system, FIX)
    applied = await apply_fix(made.system, FIX, preview, nothing)
    assert preview.command == "docker exec sms-backend bash -c 'cd /app && bash scripts/init_db.sh'"
    assert preview.risk is Risk.R3
    assert applied == Applied(True, ("created 12 tables", "The command ended well (exit code 0)."))


async def test_for_a_container_that_is_not_up_it_runs_in_a_new_one_like_it() -> None:
    made = stack("alembic upgrade head")
    made.engine.change("backend", state=State.EXITED, exit_code=1)
    preview = await preview_fix(made.system, FIX)
    applied = await apply_fix(made.system, FIX, preview, nothing)
    assert preview.command == "docker run --rm sms/backend:1.17 alembic upgrade head"
    assert made.engine.done == ["run_like sms-backend alembic upgrade head"]
    assert applied.done


async def test_a_command_that_fails_is_told_with_what_it_said() -> None:
    made = stack()
    made.engine.probe = ExecResult(3, b"", b"no such file\n")
    applied = await apply_fix(made.system, FIX, await preview_fix(made.system, FIX), nothing)
    assert (applied.done, applied.lines) == (False, ("no such file",))
    assert applied.failed is not None
    assert "exit code 3" in applied.failed.message


async def test_a_container_that_was_made_anew_meanwhile_is_left_alone() -> None:
    made = stack()
    preview = await preview_fix(made.system, FIX)
    made.engine.change("backend", id="another")
    made.engine.asked.clear()
    applied = await apply_fix(made.system, FIX, preview, nothing)
    assert not applied.done
    assert made.engine.asked == ["container sms-backend"]


@pytest.mark.parametrize("command", ["", "bash -c 'unfinished"])
async def test_without_a_usable_command_nothing_is_run(command: str) -> None:
    made = stack(command)
    with pytest.raises(SourceError) as caught:
        await preview_fix(made.system, FIX)
    assert caught.value.failure.kind is FailureKind.NOT_CONFIGURED
    assert "[systems.sms.commands]" in caught.value.failure.advice
