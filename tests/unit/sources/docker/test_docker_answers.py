"""The engine's recorded words become what we show."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from fake_docker import RECORDED, STATS

from console.sources.docker.answers import container, details, inspected_only, processes, reclaimable, unix_time, usage
from console.sources.protocols.engine import Container, ContainerProcess, Details, Health, Link, Mount, Port, Reclaimable, State

STOPPED = json.loads((Path(__file__).parent / "recorded" / "stats_stopped_20_10.json").read_text(encoding="utf-8"))


def recorded(name: str) -> Container:
    return container(RECORDED[name]["listed"], RECORDED[name]["inspected"])


def test_a_container_that_crashed_five_times_says_so() -> None:
    crash = recorded("rec-crash")
    assert (crash.state, crash.exit_code, crash.restart_count, crash.oom_killed) == (State.EXITED, 3, 5, False)
    assert crash.restart_policy == "on-failure:5"
    assert crash.finished_at == pytest.approx(1795347258.844966, abs=1e-5)


def test_a_container_that_the_kernel_killed_for_memory_says_so_with_its_limit() -> None:
    killed = recorded("rec-oom")
    assert (killed.exit_code, killed.oom_killed, killed.memory_limit_bytes) == (137, True, 16 * 1024 * 1024)


def test_health_and_the_last_output_of_its_check_are_told() -> None:
    assert recorded("rec-sick").health is Health.UNHEALTHY
    assert recorded("rec-sick").health_output == "no"
    assert recorded("rec-sick").tty is True
    assert recorded("rec-healthy").health is Health.HEALTHY


def test_a_port_that_is_taken_is_told_in_the_engines_words() -> None:
    failed = recorded("rec-port")
    assert failed.state is State.CREATED
    assert failed.error.endswith("Bind for 127.0.0.1:18099 failed: port is already allocated")


def test_a_container_that_never_ran_has_no_exit_code_and_no_times() -> None:
    created = recorded("rec-created")
    assert (created.exit_code, created.started_at, created.finished_at) == (None, None, None)


def test_a_running_container_has_no_exit_code_although_its_inspection_says_0() -> None:
    assert recorded("rec-healthy").exit_code is None
    assert recorded("rec-paused").exit_code is None


def test_published_ports_are_told() -> None:
    assert recorded("rec-healthy").ports == (Port(80, "tcp", "127.0.0.1", 18099),)


def test_the_ports_that_a_container_needs_are_known_while_it_is_down() -> None:
    down = copy.deepcopy(RECORDED["rec-port"])
    down["inspected"]["HostConfig"]["PortBindings"] = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18099"}]}
    assert container(down["listed"], down["inspected"]).ports == (Port(80, "tcp", "127.0.0.1", 18099),)


@pytest.mark.parametrize("name", ["rec-crash", "rec-oom", "rec-healthy", "rec-sick", "rec-created", "rec-port"])
def test_an_inspection_alone_says_the_same_as_list_and_inspection(name: str) -> None:
    alone = inspected_only(RECORDED[name]["inspected"])
    assert alone == recorded(name)


def test_without_an_inspection_what_only_it_knows_is_unknown() -> None:
    listed = container(RECORDED["rec-oom"]["listed"], None)
    assert (listed.state, listed.exit_code) == (State.EXITED, 137)
    assert (listed.oom_killed, listed.restart_count, listed.memory_limit_bytes, listed.started_at) == (None, None, None, None)


def test_no_text_of_a_container_reaches_the_terminal_as_a_control_sequence() -> None:
    hostile = "x\x1b]0;pwned\x07\x1b[2J\x9b2J\x00\u202e[red]"
    listed, inspected = copy.deepcopy(RECORDED["rec-healthy"]["listed"]), copy.deepcopy(RECORDED["rec-healthy"]["inspected"])
    listed |= {"Names": ["/" + hostile], "Image": hostile, "Labels": {hostile: hostile}, "ImageID": hostile}
    listed["NetworkSettings"] = inspected["NetworkSettings"] = {"Networks": {hostile: {}}}
    inspected["State"] |= {"Error": hostile, "Health": {"Log": [{"Output": hostile}]}}
    inspected["HostConfig"]["RestartPolicy"] = {"Name": hostile}
    shown = repr(container(listed, inspected).__reduce_ex__(2)) + str(container(listed, inspected))
    assert container(listed, inspected).name == "x␀\\u{202e}[red]"
    assert all(text.isprintable() for text in _texts(container(listed, inspected)))
    assert "pwned" not in shown


def test_what_is_no_container_is_refused() -> None:
    with pytest.raises((KeyError, ValueError, TypeError)):
        container({"Id": "1", "State": "sleeping"}, None)


def test_cpu_is_percent_of_one_core_as_the_docker_command_computes_it() -> None:
    found = usage(None, STATS, taken_at=7.0)
    now, before = STATS["cpu_stats"], STATS["precpu_stats"]
    share = (now["cpu_usage"]["total_usage"] - before["cpu_usage"]["total_usage"]) / (
        now["system_cpu_usage"] - before["system_cpu_usage"]
    )
    assert found is not None
    assert found.cpu_percent == pytest.approx(share * now["online_cpus"] * 100)
    assert found.taken_at == 7.0


def test_memory_leaves_out_the_page_cache_under_both_kinds_of_control_groups() -> None:
    first = _sample(memory={"usage": 1000, "limit": 5000, "stats": {"total_inactive_file": 300, "inactive_file": 1}})
    second = _sample(memory={"usage": 1000, "limit": 5000, "stats": {"inactive_file": 200}})
    impossible = _sample(memory={"usage": 1000, "limit": 5000, "stats": {"inactive_file": 2000}})
    assert [_used(sample) for sample in (first, second, impossible)] == [700, 800, 1000]


def test_network_is_the_sum_over_all_interfaces() -> None:
    found = usage(None, _sample(networks={"eth0": {"rx_bytes": 1, "tx_bytes": 2}, "eth1": {"rx_bytes": 10, "tx_bytes": 20}}), 0.0)
    assert found is not None
    assert (found.network_received_bytes, found.network_sent_bytes) == (11, 22)


def test_a_stopped_container_uses_nothing_that_could_be_told() -> None:
    assert usage(None, STOPPED, 0.0) is None


def test_the_first_sample_knows_no_cpu_and_neither_does_one_after_a_restart() -> None:
    first = copy.deepcopy(STATS)
    first["precpu_stats"] = {"cpu_usage": {"total_usage": 0}}
    later = copy.deepcopy(STATS)
    later["cpu_stats"]["cpu_usage"]["total_usage"] = 5
    later["cpu_stats"]["system_cpu_usage"] += 10**9
    for found in (usage(None, first, 0.0), usage(STATS, later, 0.0)):
        assert found is not None
        assert found.cpu_percent is None
        assert found.memory_used_bytes is not None


def test_only_what_nothing_uses_is_reclaimable_and_the_largest_comes_first() -> None:
    df: dict[str, Any] = {
        "Images": [
            {"Id": "sha256:" + "a" * 64, "RepoTags": ["old:1"], "Containers": 0, "Size": 100, "SharedSize": 40},
            {"Id": "sha256:" + "b" * 64, "RepoTags": ["<none>:<none>"], "Containers": 0, "Size": 70, "SharedSize": -1},
            {"Id": "sha256:" + "c" * 64, "RepoTags": ["used:1"], "Containers": 2, "Size": 900, "SharedSize": 0},
            {"Id": "sha256:" + "d" * 64, "RepoTags": ["uncounted:1"], "Containers": -1, "Size": 900, "SharedSize": 0},
        ],
        "Volumes": [
            {"Name": "free", "UsageData": {"RefCount": 0, "Size": 5}},
            {"Name": "held", "UsageData": {"RefCount": 1, "Size": 6}},
            {"Name": "unknown"},
        ],
        "Containers": [
            {"Names": ["/done"], "State": "exited", "SizeRw": 3},
            {"Names": ["/up"], "State": "running", "SizeRw": 4},
        ],
    }
    assert reclaimable(df) == (
        Reclaimable("containers", (("done", 3),)),
        Reclaimable("images", (("bbbbbbbbbbbb (untagged)", 70), ("old:1", 60))),
        Reclaimable("volumes", (("free", 5),)),
    )
    assert reclaimable({"Images": None}) == tuple(Reclaimable(kind, ()) for kind in ("containers", "images", "volumes"))


def test_an_inspection_tells_environment_mounts_networks_and_command() -> None:
    inspected = {
        "Name": "/shop-backend",
        "Path": "python",
        "Args": ["-m", "backend"],
        "Config": {"Env": ["MODE=strict", "URL=postgresql://u:p=q@db/x", "EMPTY="]},
        "HostConfig": {"Tmpfs": {"/run": "rw,noexec"}},
        "Mounts": [
            {
                "Type": "volume",
                "Name": "data",
                "Source": "/var/lib/docker/volumes/data/_data",
                "Destination": "/data",
                "RW": True,
            },
            {"Type": "bind", "Source": "/etc/shop", "Destination": "/config", "RW": False},
        ],
        "NetworkSettings": {
            "Networks": {
                "shop": {"IPAddress": "172.18.0.4", "Aliases": ["backend", "47d25df86ead"]},
                "bridge": {"IPAddress": "172.17.0.2", "Aliases": None},
            }
        },
    }
    assert details(inspected) == Details(
        environment={"MODE": "strict", "URL": "postgresql://u:p=q@db/x", "EMPTY": ""},
        mounts=(
            Mount("bind", "/etc/shop", "/config", False),
            Mount("volume", "data", "/data", True),
            Mount("tmpfs", "", "/run", True),
        ),
        links=(Link("bridge", "172.17.0.2", ()), Link("shop", "172.18.0.4", ("shop-backend", "backend"))),
        command=("python", "-m", "backend"),
    )


def test_an_inspection_without_environment_and_networks_has_empty_details() -> None:
    assert details({"Config": {"Env": None}, "NetworkSettings": {"Networks": None}}) == Details({}, (), (), ())


def test_processes_are_read_by_the_titles_of_their_columns_and_the_busiest_comes_first() -> None:
    asked = {
        "Titles": ["PID", "%CPU", "RSS", "COMMAND"],
        "Processes": [["7", "0.0", "100", "sh"], ["9", "97.5", "2048", "work\x1b[2J x"]],
    }
    assert processes(asked) == (
        ContainerProcess(9, 97.5, 2048 * 1024, "work x"),
        ContainerProcess(7, 0.0, 100 * 1024, "sh"),
    )
    usual = {
        "Titles": ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"],
        "Processes": [["root", "3", "1", "2", "", "", "", "x"]],
    }
    assert processes(usual) == (ContainerProcess(3, 2.0, None, "x"),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T11:34:18.844966532Z", 1795347258.844966532),
        ("2026-11-22T12:34:18+01:00", 1795347258.0),
        ("0001-01-01T00:00:00Z", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_times_of_the_engine_become_unix_seconds(text: object, expected: float | None) -> None:
    assert unix_time(text) == (None if expected is None else pytest.approx(expected, abs=1e-6))


def _sample(**changes: Any) -> dict[str, Any]:
    sample = copy.deepcopy(STATS)
    if "memory" in changes:
        sample["memory_stats"] = changes["memory"]
    if "networks" in changes:
        sample["networks"] = changes["networks"]
    return dict(sample)


def _used(sample: dict[str, Any]) -> int | None:
    found = usage(None, sample, 0.0)
    return None if found is None else found.memory_used_bytes


def _texts(found: Container) -> list[str]:
    labels = [text for pair in found.labels.items() for text in pair]
    return [
        found.name,
        found.image,
        found.image_id,
        found.error,
        found.health_output,
        found.restart_policy,
        *labels,
        *found.networks,
    ]
