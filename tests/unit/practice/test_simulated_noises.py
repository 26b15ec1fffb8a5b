"""Each noise is seen, and with it alone every walk of the system names no cause."""

import pytest
from simulated_worlds import CONFIG, SYSTEMS, Stage
from test_every_cause import ISSUES, SYSTEM_OF, told, walk
from turned_clock import Clock

from console.guides.walk import Verdict
from console.practice.simulated.noises import NEIGHBOUR, NOISES, STATUS_SITE
from console.practice.simulated.staging import begin_again, make_noise
from console.practice.simulated.system import simulated_world, system_of


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("name", SYSTEMS)
async def test_with_a_noise_alone_every_walk_is_clear(name: str, noise: str, clock: Clock) -> None:
    world = simulated_world(CONFIG.system(name), clock=clock)
    begin_again(world, noises=[noise])
    system = system_of(world, pause=clock.pause)
    wrong = {}
    for issue in [issue for issue in ISSUES.values() if SYSTEM_OF[issue.guide] == name]:
        conclusion, walking = await walk(issue, system, "healthy", clock)
        if conclusion.verdict is not Verdict.CLEAR:
            wrong[issue.id] = told(conclusion, walking)
    await system.aclose()
    assert not wrong


def test_a_job_of_the_machine_is_seen_and_ends(clock: Clock) -> None:
    stage = Stage("dotmac", clock)
    make_noise(stage.world, "slow-job")
    assert "tar -czf" in " ".join(item.command for item in stage.world.machine.processes)
    stage.passes(500)
    assert "tar -czf" not in " ".join(item.command for item in stage.world.machine.processes)


@pytest.mark.parametrize(
    ("noise", "words"),
    [
        ("log-noise", "WARNING [backend.scheduler] heartbeat"),
        ("deprecation-warnings", "DeprecationWarning: datetime.utcnow()"),
        ("old-errors", "3 jobs failed"),
        ("flapping-probe-of-a-third-party", f"probe of {STATUS_SITE}: no answer"),
        ("cold-cache", "Tidied 214 pages"),
    ],
)
def test_a_noise_in_the_log_is_seen(noise: str, words: str, clock: Clock) -> None:
    stage = Stage("sms", clock)
    make_noise(stage.world, noise)
    stage.passes(30)
    assert words in stage.log("backend", 2_000)


def test_a_neighbour_has_just_been_started(clock: Clock) -> None:
    stage = Stage("sms", clock)
    make_noise(stage.world, "restarted-neighbour")
    stage.passes(3)
    found = stage.world.containers[NEIGHBOUR]
    assert found.running
    assert found.started_at is not None
    assert stage.world.now - found.started_at < 5


def test_a_bump_of_traffic_and_a_cooled_cache_pass_by_themselves(clock: Clock) -> None:
    stage = Stage("sms", clock)
    for noise in ("traffic-bump", "cold-cache"):
        make_noise(stage.world, noise)
    stage.passes(60)
    assert stage.world.traffic.factor == pytest.approx(1.5)
    stage.passes(240)
    assert stage.world.traffic.factor == pytest.approx(1.0)


def test_an_unknown_noise_is_refused_with_the_known_ones(clock: Clock) -> None:
    with pytest.raises(ValueError, match="slow-job"):
        make_noise(Stage("sms", clock).world, "gremlins")
