"""Each of the four practice systems lives, is healthy, and is as it was with the same seed."""

import time
from typing import Any

import pytest
from simulated_worlds import CONFIG, SYSTEMS, Stage
from turned_clock import Clock

from console.practice.simulated.blueprints import blueprint_of
from console.practice.simulated.faults import HEALTHY, fault_ids, faults_of, replies_of
from console.practice.simulated.system import choose_fault, simulated_system
from console.reading import SourceError
from console.sources.protocols.engine import State
from console.sources.protocols.metrics import Origin, Quality
from console.system import System

each_system = pytest.mark.parametrize("name", SYSTEMS)


async def answers(system: System) -> dict[str, Any]:
    """One answer of each source, failures as their texts."""
    config = system.config
    questions = {
        "containers": system.need_engine().containers(),
        "activity": system.need_database().activity(),
        "accepts": system.need_database().accepts(),
        "tables": system.need_database().select("SELECT count(*) AS tables FROM pg_stat_user_tables"),
        "cache": system.need_cache().info(),
        "latency": system.need_metrics().latency(),
        "memory": system.host.memory(),
        "processes": system.host.processes(),
        "clock": system.host.now(),
        **{f"disk {path}": system.host.disk(path) for path in config.disks},
        **{f"unit {unit}": system.host.unit(unit) for unit in config.units.values()},
        **{f"log {role}": system.host.log_tail(path, name=role, lines=20) for role, path in config.log_files.items()},
        **{f"details {name}": system.need_engine().details(name) for name in config.roles.values()},
        **{f"top {name}": system.need_engine().processes(name) for name in config.roles.values()},
        **{
            url: system.need_network().http(url)
            for url in {**config.endpoints, **config.links}.values()
            if url.startswith("http")
        },
    }
    found: dict[str, Any] = {}
    for question, asked in questions.items():
        try:
            found[question] = await asked
        except SourceError as error:
            found[question] = str(error)
    return found


@each_system
async def test_a_healthy_system_is_healthy_in_every_source(name: str, clock: Clock) -> None:
    system = simulated_system(CONFIG.system(name), clock=clock)
    read = await answers(system)
    assert [question for question, answer in read.items() if isinstance(answer, str)] == []
    assert {item.state for item in read["containers"].items} <= {State.RUNNING}
    assert {item.name for item in read["containers"].items} >= set(system.config.roles.values())
    assert all(read[f"unit {unit}"].active == "active" for unit in system.config.units.values())
    assert read["accepts"].accepting
    assert read["activity"].used_percent < 70
    assert read["cache"].ping_s < 0.1
    assert read["latency"].quality is Quality.GOOD
    assert read["latency"].p95_s < 0.5
    assert all(read[f"disk {path}"].used_percent < 80 for path in system.config.disks)
    assert (await system.need_endpoints().get("health")).status == 200
    await system.aclose()


@each_system
async def test_links_and_certificates_of_a_healthy_system_are_fine(name: str, clock: Clock) -> None:
    stage = Stage(name, clock)
    config = stage.world.config
    for url in config.links.values():
        assert (await stage.network.http(url)).status == 200, url
    for certificate in config.certificates.values():
        if certificate.address:
            host, _, port = certificate.address.rpartition(":")
            shown = await stage.network.tls(host, int(port), server_name=certificate.name)
            assert (shown.trusted, shown.name_matches, shown.reason, len(shown.chain)) == (True, True, "", 2)


@each_system
async def test_the_same_seed_and_clock_give_the_same_system(name: str, clock: Clock) -> None:
    first, second, other = (simulated_system(CONFIG.system(name), seed=seed, clock=clock) for seed in (7, 7, 8))
    read = await answers(first)
    assert read == await answers(second)
    assert read != await answers(other)
    for system in (first, second, other):
        await system.aclose()


@each_system
async def test_a_quarter_of_an_hour_with_nobody_harmed(name: str, clock: Clock) -> None:
    began = time.process_time()
    stage = Stage(name, clock)
    print(f"{name}: made in {time.process_time() - began:.2f} s of processor time")
    lines = [line.text for line in stage.world.log("backend").after(-1)]
    assert len(lines) > 5_000
    assert [line for line in lines if " ERROR " in line] == []
    assert sum(" 429 " in line for line in lines) == 0


@each_system
def test_what_a_well_user_would_say_is_known(name: str) -> None:
    replies, inputs = replies_of(HEALTHY, CONFIG.system(name))
    assert inputs
    assert all(isinstance(value, str) and value for value in (*replies.values(), *inputs.values()))


@each_system
def test_every_fault_belongs_to_a_guide_of_its_system(name: str) -> None:
    faults = [fault for fault in fault_ids(CONFIG.system(name)) if fault != HEALTHY]
    assert {fault.partition(".")[0] for fault in faults} <= {name, "smsops" if name == "sms" else name}
    assert choose_fault(3, CONFIG.system(name)) in (*faults, HEALTHY)


@each_system
def test_every_input_that_a_fault_changes_is_one_that_a_well_user_has(name: str) -> None:
    usual = set(blueprint_of(name).inputs(CONFIG.system(name)))
    for fault, told in faults_of(name).items():
        assert set(told.inputs) <= usual, fault


@pytest.mark.parametrize(("name", "origin"), [("sovd", Origin.PROMETHEUS), ("planner", Origin.SCRAPE)])
async def test_latency_comes_from_prometheus_or_from_the_service_itself(name: str, origin: Origin, clock: Clock) -> None:
    system = simulated_system(CONFIG.system(name), clock=clock)
    assert (await system.need_metrics().latency()).origin is origin
    await system.need_engine().stop(system.config.roles["backend"])
    clock.passes(5)
    if origin is Origin.SCRAPE:
        with pytest.raises(SourceError, match="refused"):
            await system.need_metrics().latency()
    else:
        assert [target.up for target in (await system.need_metrics().latency()).targets] == [False]
    await system.aclose()


def test_a_system_that_no_stack_plays_is_refused() -> None:
    sms = CONFIG.system("sms").model_copy(update={"guides": ("weather",)})
    sms._name = "weather"
    assert fault_ids(sms) == ()
    with pytest.raises(ValueError, match="sms, planner, dotmac, sovd"):
        simulated_system(sms)
