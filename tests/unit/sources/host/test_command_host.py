"""A machine that is asked with commands: what happens when one is missing, refused, or answers nonsense."""

from collections.abc import Sequence

import pytest

from console.reading import FailureKind, SourceError
from console.sources.host.command import PS, UNIT_PROPERTIES, CommandHost, Output
from console.sources.protocols.host import FileEntry

UNIT = f"env LC_ALL=C TZ=UTC systemctl show --no-pager --property={UNIT_PROPERTIES} -- dotmac"


class Machine:
    """Answers by the whole command line, else by its first word; anything else is not there."""

    def __init__(self, **answers: Output | str) -> None:
        self.answers: dict[str, Output | str] = dict(answers)
        self.ran: list[str] = []

    async def run(self, argv: Sequence[str], timeout_s: float) -> Output:
        line = " ".join(argv)
        self.ran.append(line)
        answer = self.answers.get(line, self.answers.get(argv[0], (127, b"", b"")))
        return (0, answer.encode(), b"") if isinstance(answer, str) else answer


def failure_of(error: pytest.ExceptionInfo[SourceError]) -> tuple[FailureKind, str]:
    return error.value.failure.kind, error.value.failure.message


async def test_a_command_that_is_not_there_is_unsupported_and_says_what_to_install() -> None:
    host = CommandHost(Machine(date="1.0").run, where="dotmac-host")
    with pytest.raises(SourceError) as caught:
        await host.processes()
    assert failure_of(caught) == (FailureKind.UNSUPPORTED, "There is no command ps on dotmac-host.")
    assert "procps" in caught.value.failure.advice


@pytest.mark.parametrize(
    ("stderr", "kind"),
    [
        ("find: '/srv': No such file or directory", FailureKind.MISSING),
        ("find: '/srv/x': Permission denied", FailureKind.FORBIDDEN),
        ("find: out of luck", FailureKind.DECLINED),
    ],
)
async def test_the_words_of_a_command_tell_what_failed(stderr: str, kind: FailureKind) -> None:
    host = CommandHost(Machine(find=(1, b"", stderr.encode()), date="1.0").run)
    with pytest.raises(SourceError) as caught:
        await host.folder("/srv")
    assert caught.value.failure.kind is kind


@pytest.mark.parametrize(
    ("code", "stderr", "kind"),
    [
        (1, "System has not been booted with systemd as init system (PID 1). Can't operate.", FailureKind.UNSUPPORTED),
        (4, "Failed to start dotmac.service: Interactive authentication required.", FailureKind.FORBIDDEN),
        (5, "Failed to start dotmac.service: Unit dotmac.service not found.", FailureKind.MISSING),
        (1, "Job for dotmac.service failed because the control process exited with error code.", FailureKind.DECLINED),
    ],
)
async def test_a_service_that_cannot_be_started_says_why(code: int, stderr: str, kind: FailureKind) -> None:
    machine = Machine(systemctl=(code, b"", stderr.encode()))
    with pytest.raises(SourceError) as caught:
        await CommandHost(machine.run).control_unit("dotmac", "start")
    assert caught.value.failure.kind is kind
    assert machine.ran == ["systemctl --no-ask-password start -- dotmac"]


async def test_an_answer_that_is_not_understood_is_garbage_and_cannot_write_to_the_terminal() -> None:
    host = CommandHost(Machine(cat="\x1b]0;owned\x07nonsense").run)
    with pytest.raises(SourceError) as caught:
        await host.memory()
    assert caught.value.failure.kind is FailureKind.GARBAGE
    assert "\x1b" not in str(caught.value)


async def test_a_unit_is_read_in_universal_time() -> None:
    shown = "LoadState=loaded\nActiveState=active\nActiveEnterTimestamp=Sun 2026-11-22 10:00:00 UTC\n"
    unit = await CommandHost(Machine(**{UNIT: shown}).run).unit("dotmac")
    assert (unit.active, unit.since) == ("active", 1_795_341_600.0)


async def test_without_ss_the_kernel_tells_that_somebody_listens_but_not_who() -> None:
    table = "  sl  local_address rem_address   st\n   0: 0100007F:1538 00000000:0000 0A 00000000:00000000\n"
    (owner,) = await CommandHost(Machine(cat=table).run).port_owners([5432, 8000])
    assert (owner.port, owner.pid) == (5432, None)


async def test_a_process_is_ended_only_if_it_began_when_it_was_seen() -> None:
    listing = f"   12 app 100 50 {'python':<32} python app.py\n"
    machine = Machine(**{" ".join(PS): listing, "date": "1000.5", "kill": ""})
    host = CommandHost(machine.run)
    assert await host.end_process(12, 800.0) is False
    assert await host.end_process(13, 950.0) is False
    assert "kill -TERM 12" not in machine.ran
    assert await host.end_process(12, 950.0) is True
    assert "kill -TERM 12" in machine.ran
    with pytest.raises(SourceError):
        await host.end_process(1, 0.0)


async def test_a_machine_without_ufw_is_asked_for_nft_and_without_both_it_is_unknown() -> None:
    rules = "table inet f {\n chain input {\n  type filter hook input priority 0; policy drop;\n }\n}\n"
    found = await CommandHost(Machine(nft=rules).run).firewall(8000)
    assert (found.tool, found.allows) == ("nft", False)
    found = await CommandHost(Machine().run).firewall(8000)
    assert (found.active, found.allows) == (None, None)
    with pytest.raises(SourceError) as caught:
        await CommandHost(Machine(ufw=(1, b"", b"ERROR: You need to be root to run this script")).run).firewall(8000)
    assert caught.value.failure.kind is FailureKind.FORBIDDEN


async def test_of_many_files_only_those_that_are_the_same_are_removed() -> None:
    files = [FileEntry(f"/d/{number}", False, "", "", 0, 10, 200.5) for number in range(4)]
    gone = "find: '/d/3': No such file or directory"
    printed = "f 644 10 200.5000000000 app app /d/0\0f 644 11 200.5 app app /d/1\0f 644 10 300.0 app app /d/2\0"
    machine = Machine(find=(1, printed.encode(), gone.encode()), rm="")
    assert await CommandHost(machine.run).remove(files) == ("/d/0",)
    assert machine.ran[-1] == "rm -f -- /d/0"


async def test_nothing_is_removed_when_every_file_has_changed() -> None:
    machine = Machine(find="f 644 11 200.5 app app /d/0\0", rm="")
    assert await CommandHost(machine.run).remove([FileEntry("/d/0", False, "", "", 0, 10, 200.5)]) == ()
    assert not any(line.startswith("rm") for line in machine.ran)
