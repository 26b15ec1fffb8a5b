"""What is told of a deployment: where its schema stands, what nobody uses, its backups, how many containers share the work."""

from dataclasses import replace

import pytest
from guide_stack import GIB, MIB, NAMES, NOW, FakeEngine, Stack, checked, container

from console.guides.checks.migration import read_revision
from console.guides.fixes import preview_fix
from console.guides.fixes.action import action
from console.guides.issue import Fix
from console.guides.risk import Risk
from console.sources.protocols.engine import ExecResult, Reclaimable, State

DAY_S = 86_400.0
LABEL = "com.docker.compose.service"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("0042_program_scopes (head)",), ("0042_program_scopes", True)),
        (("0041_projects",), ("0041_projects", False)),
        (("0041_projects (head is 0042_program_scopes)",), ("0041_projects", False)),
        (("INFO  [alembic.runtime.migration] Context impl PostgresqlImpl.", "ae1027a6acf (head)"), ("ae1027a6acf", True)),
        (("INFO  [alembic.runtime.migration] Will assume transactional DDL.",), ("", False)),
        ((), ("", False)),
    ],
)
def test_the_revision_is_read_as_alembic_prints_it(lines: tuple[str, ...], said: tuple[str, bool]) -> None:
    assert read_revision(lines) == said


async def test_a_schema_behind_the_release_is_told() -> None:
    stack = Stack(engine=FakeEngine(probe=ExecResult(0, b"0002_grade_indexes\n", b"")))
    outcome = await checked(stack, "migration.state")
    assert (outcome.facts["revision"], outcome.facts["at_head"]) == ("0002_grade_indexes", False)


async def test_a_revision_that_cannot_be_read_is_unknown_and_not_old() -> None:
    stack = Stack(engine=FakeEngine(probe=ExecResult(1, b"", b"sqlalchemy.exc.OperationalError: refused\n")))
    outcome = await checked(stack, "migration.state")
    assert outcome.facts["at_head"] is None
    assert outcome.failure is not None
    assert "OperationalError" in outcome.failure.message
    unset = Stack(config=Stack().config.model_copy(update={"migration": {}}))
    assert (await checked(unset, "migration.state")).facts["at_head"] is None


async def test_what_nobody_uses_is_added_up_by_kind() -> None:
    unused = (
        Reclaimable("containers", ()),
        Reclaimable("images", (("app:1.0", 3 * GIB), ("app:1.1", GIB))),
        Reclaimable("volumes", (("old", 512 * MIB),)),
    )
    outcome = await checked(Stack(engine=FakeEngine(unused=unused)), "containers.unused")
    assert (outcome.facts["images_bytes"], outcome.facts["containers_bytes"]) == (4 * GIB, 0)
    assert outcome.facts["total_bytes"] == 4 * GIB + 512 * MIB
    assert outcome.headline == "What nobody uses takes 4.5 GiB, most of it images."
    nothing = await checked(Stack(), "containers.unused")
    assert (nothing.facts["total_bytes"], nothing.headline) == (0, "What nobody uses takes 0 B.")


async def test_old_backups_are_counted_without_the_newest_however_old_these_are() -> None:
    stack = Stack()
    stack.engine.files = {f"student_management_{days}.sql.gz": (MIB, NOW - days * DAY_S) for days in (40, 50, 60, 70)}
    outcome = await checked(stack, "files.backups", older_than="45d")
    assert (outcome.facts["count"], outcome.facts["old"], outcome.facts["old_bytes"]) == (4, 2, 2 * MIB)
    assert outcome.facts["newest_age_s"] == 40 * DAY_S
    stack.engine.files = {}
    young = await checked(stack, "files.backups", older_than="400d")
    assert young.headline.endswith("; no spare one older than 400 d.")
    none = await checked(stack, "files.backups")
    assert (none.facts["count"], none.facts["newest_age_s"]) == (0, None)


async def test_only_backups_older_than_wanted_are_removed() -> None:
    stack = Stack()
    now = stack.system.clock()
    stack.engine.files = {f"student_management_{days}.sql.gz": (MIB, now - days * DAY_S) for days in (1, 2, 20, 40)}
    kind = action("files.remove_old_backups")
    fix = Fix("old", "Old", Risk.R4, kind.name, kind.parameters.model_validate({"older_than": "30d"}))
    preview = await preview_fix(stack.system, fix)
    assert [target.name for target in preview.targets] == ["student_management_40.sql.gz"]
    del stack.engine.files["student_management_40.sql.gz"]
    assert "none of the others is older than 30 d" in (await preview_fix(stack.system, fix)).empty


async def test_containers_of_one_compose_service_share_its_work() -> None:
    stack = Stack(config=Stack().config.model_copy(update={"replicas": {"backend": 2}}))
    own = NAMES["backend"]
    stack.engine.items[own] = replace(stack.engine.items[own], labels={LABEL: "app"})
    alone = await checked(stack, "containers.replicas", role="backend")
    assert (alone.facts["running"], alone.facts["most"], alone.facts["at_most"]) == (1, 2, False)
    stack.engine.items["two"] = container("two", name="sms-backend-2", labels={LABEL: "app"}, state=State.EXITED)
    assert (await checked(stack, "containers.replicas", role="backend")).facts["at_most"] is False
    stack.engine.items["two"] = replace(stack.engine.items["two"], state=State.RUNNING)
    assert (await checked(stack, "containers.replicas", role="backend")).facts["at_most"] is True


async def test_without_a_configured_limit_it_is_unknown_whether_there_may_be_more() -> None:
    outcome = await checked(Stack(), "containers.replicas", role="backend")
    assert (outcome.facts["running"], outcome.facts["at_most"]) == (1, None)
    assert "[systems.sms.replicas]" in outcome.unread[0].advice
