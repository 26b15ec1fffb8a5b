"""Who holds a port that a container needs, and who only seems to."""

from console.guides.checks.ports import conflicts, foreign
from console.sources.protocols.engine import Container, Port, State
from console.sources.protocols.host import PortOwner

PYTHON = PortOwner(8080, 77, "python3", "python3 -m http.server 8080")
PROXY = PortOwner(8080, 78, "docker-proxy", "docker-proxy -host-port 8080")


def web(state: State, error: str = "") -> Container:
    return Container(id="1", name="web", image="i", state=state, error=error, ports=(Port(80, "tcp", "0.0.0.0", 8080),))


def test_a_port_that_a_running_container_publishes_is_its_own() -> None:
    assert foreign((8080,), (PROXY,), (web(State.RUNNING),)) == ()


def test_a_process_on_the_port_of_a_stopped_container_is_in_its_way() -> None:
    assert conflicts((PYTHON,), {"proxy": web(State.EXITED)}) == (PYTHON,)


def test_a_process_on_a_port_that_the_stopped_container_does_not_need_is_not() -> None:
    assert conflicts((PortOwner(5432, 9, "postgres", "postgres"),), {"proxy": web(State.EXITED)}) == ()


def test_the_engines_own_proxy_that_lingers_after_a_stop_is_in_nobodys_way() -> None:
    assert conflicts((PROXY,), {"proxy": web(State.EXITED)}) == ()


def test_the_proxy_of_another_systems_container_is_when_the_engine_said_that_the_port_is_taken() -> None:
    taken = web(State.CREATED, "Bind for 0.0.0.0:8080 failed: port is already allocated")
    assert conflicts((PROXY,), {"proxy": taken}) == (PROXY,)
