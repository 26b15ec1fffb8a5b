"""The parsers, on what the commands of Debian 12 print; systemctl on recorded text of systemd 252."""

import pytest

from console.sources.host import answers
from console.sources.protocols.host import Disk, Memory, PortOwner

BLOCKS = """Filesystem     1024-blocks     Used Available Capacity Mounted on
/dev/vda         264212084 25181596  81209316      24% /
"""
INODES = """Filesystem       Inodes  IUsed    IFree IUse% Mounted on
/dev/vda       16777216 471020 16306196    3% /
"""
NO_INODES = """Filesystem     Inodes IUsed IFree IUse% Mounted on
/dev/sda1           0     0     0     - /data
"""
MEMINFO = """MemTotal:       24684092 kB
MemFree:        22412428 kB
MemAvailable:   23132096 kB
Buffers:           12944 kB
SwapCached:            0 kB
SwapTotal:       2097148 kB
SwapFree:        1048574 kB
HugePages_Total:       0
"""
PS = """    1 root                             21940   12100 process_api                      /process_api --addr 0.0.0.0:2024
    2 root                                 0   12100 kthreadd                         [kthreadd]
30239 postgres                        122768      61 postgres                         postgres: 15/main: app planner [local] idle
30241 a-very-long-user-name-that-is-no-problem 512 7 sh                               sh -c sleep 60
"""
TOP = """top - 14:32:50 up  3:42,  0 user,  load average: 3.40, 1.48, 0.84
Tasks:  84 total,   1 running,  83 sleeping,   0 stopped,   0 zombie

    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND
      1 root      20   0   55808  21940   6364 S  96.2   0.1   2:08.10 process_api

top - 14:32:51 up  3:42,  0 user,  load average: 3.40, 1.48, 0.84

    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND
  30239 postgres  20   0 1234567   1.2g   6364 R 103.3   5.0   0:08.10 postgres
      1 root      20   0   55808  21940   6364 S   0.0   0.1   2:08.10 process_api
"""
SS = """LISTEN 0      4096   127.0.0.1:8200  0.0.0.0:* users:(("docker-proxy",pid=3499,fd=4))
LISTEN 0      128      0.0.0.0:2024  0.0.0.0:*
LISTEN 0      511         [::]:80       [::]:* users:(("nginx",pid=12,fd=7),("nginx",pid=11,fd=7))
LISTEN 0      244        [::1]:5432     [::]:*
LISTEN 0      244    127.0.0.1:5432  0.0.0.0:* users:(("postgres",pid=30239,fd=5))
"""
TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2008 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2004040 1 000000003657c897 100 0 0 10 0
   1: 0100007F:206C 0100007F:D2F0 01 00000000:00000000 00:00000000 00000000     0        0 2015064 1 00000000726632a3 100 0 0 10 0
  sl  local_address                         remote_address                        st tx_queue rx_queue
   0: 00000000000000000000000001000000:4705 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000
"""
ACTIVE = """Result=success
NRestarts=3
MainPID=30239
MemoryCurrent=68157440
LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled
ActiveEnterTimestamp=Sun 2026-11-22 10:00:00 UTC
InactiveEnterTimestamp=
"""
FAILED = """Result=exit-code
NRestarts=5
MainPID=0
MemoryCurrent=[not set]
LoadState=loaded
ActiveState=failed
SubState=failed
UnitFileState=disabled
ActiveEnterTimestamp=Sun 2026-11-22 10:00:00 UTC
InactiveEnterTimestamp=Sun 2026-11-22 10:05:00 UTC
"""
ABSENT = """Result=success
NRestarts=0
MainPID=0
MemoryCurrent=18446744073709551615
LoadState=not-found
ActiveState=inactive
SubState=dead
UnitFileState=
ActiveEnterTimestamp=
InactiveEnterTimestamp=
"""
TEN = 1_795_341_600.0
"""2026-11-22 10:00 UTC."""


def test_df_counts_what_users_may_fill() -> None:
    disk = answers.disk(BLOCKS, INODES, "/")
    assert disk == Disk("/", 1024 * (25_181_596 + 81_209_316), 1024 * 81_209_316, 16_777_216, 16_306_196)
    assert round(disk.used_percent) == 24
    assert disk.inodes_percent is not None
    assert round(disk.inodes_percent) == 3


def test_a_file_system_without_a_number_of_inodes_has_none() -> None:
    disk = answers.disk(BLOCKS, NO_INODES, "/data")
    assert (disk.inodes_total, disk.inodes_percent) == (None, None)


@pytest.mark.parametrize("text", ["", "df: no such option", "Filesystem 1024-blocks Used Available Capacity Mounted on\n"])
def test_what_is_no_answer_of_df_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="df"):
        answers.disk(text, INODES, "/")


def test_meminfo_is_in_kibibytes() -> None:
    assert answers.memory(MEMINFO) == Memory(24_684_092 * 1024, 23_132_096 * 1024, 2_097_148 * 1024, 1_048_574 * 1024)
    with pytest.raises(ValueError, match="MemAvailable"):
        answers.memory("MemTotal: 1 kB\n")


def test_ps_lists_processes_with_their_start() -> None:
    init, _, postgres, shell = answers.processes(PS, {30239: 103.3}, 1000.0)
    assert (init.pid, init.name, init.user, init.command) == (1, "process_api", "root", "/process_api --addr 0.0.0.0:2024")
    assert (postgres.memory_bytes, postgres.cpu_percent, postgres.started_at) == (122_768 * 1024, 103.3, 939.0)
    assert postgres.command == "postgres: 15/main: app planner [local] idle"
    assert init.cpu_percent is None
    assert (shell.user, shell.name) == ("a-very-long-user-name-that-is-no-problem", "sh")


def test_a_process_cannot_write_to_the_terminal_by_its_name() -> None:
    name = "evil\x1b]0;x\x07".ljust(32)
    (found,) = answers.processes(f"    7 root  10  5 {name} evil\x1b[2J\n", {}, 0.0)
    assert "\x1b" not in found.name + found.command


def test_a_share_is_that_of_the_second_look() -> None:
    assert answers.top_shares(TOP) == {30239: 103.3, 1: 0.0}


def test_ss_names_the_listener_of_a_port() -> None:
    found = answers.listeners(SS, (80, 2024, 5432, 9999))
    assert found == {80: (12, "nginx"), 2024: (None, ""), 5432: (30239, "postgres")}


def test_a_listener_is_told_with_its_process() -> None:
    processes = answers.processes(PS, {}, 1000.0)
    unseen, seen = answers.owners({5432: (30239, "postgres"), 2024: (None, "")}, processes)
    assert unseen == PortOwner(2024, None, "", "")
    assert seen == PortOwner(5432, 30239, "postgres", "postgres: 15/main: app planner [local] idle", "postgres", 939.0)


def test_the_kernels_table_of_sockets_tells_listening_ports() -> None:
    assert answers.listening_ports(TCP) == {0x2008, 0x4705}


def test_an_active_unit() -> None:
    unit = answers.unit(ACTIVE, "dotmac")
    assert (unit.known, unit.active, unit.sub, unit.enabled) == (True, "active", "running", True)
    assert (unit.restarts, unit.main_pid, unit.memory_bytes, unit.since) == (3, 30239, 68_157_440, TEN)


def test_a_failed_unit_says_since_when_and_why() -> None:
    unit = answers.unit(FAILED, "dotmac")
    assert (unit.active, unit.enabled, unit.main_pid, unit.memory_bytes) == ("failed", False, None, None)
    assert (unit.result, unit.since) == ("exit-code", TEN + 300)


def test_a_unit_that_is_not_there() -> None:
    unit = answers.unit(ABSENT, "nope")
    assert (unit.known, unit.active, unit.enabled, unit.memory_bytes, unit.since) == (False, "inactive", None, None, None)
    with pytest.raises(ValueError, match="ActiveState"):
        answers.unit("Unit nope.service could not be found.\n", "nope")


def test_find_lists_files_oldest_first_whatever_their_names() -> None:
    files = "f 644 10 200.5 app app /d/new file\nwith a line\0f 600 5 100.25 root root /d/old\0"
    printed = f"{files}d 2755 4096 300.0 app 1001 /d\0broken\0"
    old, new, folder = answers.file_entries(printed)
    assert (old.path, old.mode, old.size_bytes, old.modified_at, old.is_folder) == ("/d/old", 0o600, 5, 100.25, False)
    assert new.path == "/d/new file\nwith a line"
    assert (folder.is_folder, folder.mode, folder.group) == (True, 0o2755, "1001")
