"""When the lab counts as up: what each service must show, and what is said while it does not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from console.practice.lab.spec import OWNER_LABEL, LabPlan, Service
from console.text import clean

QUESTION_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One container of the lab as the engine sees it; `state` is "missing" or "foreign" when it is not the lab's."""

    service: Service
    name: str
    state: str
    health: str = ""
    restarts: int = 0
    oom_killed: bool = False
    exit_code: int = 0

    @property
    def fine(self) -> bool:
        return self.state == "running" and self.health in ("", "healthy")

    def __str__(self) -> str:
        words = [self.state]
        if self.health:
            words.append(self.health)
        if self.restarts:
            words.append(f"restarted {self.restarts} times")
        if self.state in ("exited", "restarting"):
            words.append(f"exit code {self.exit_code}")
        if self.oom_killed:
            words.append("killed for memory")
        return ", ".join(words)


def service_state(service: Service, name: str, system: str, found: Mapping[str, Any] | None) -> ServiceState:
    """Read an inspection of the engine; None is a container that is not there."""
    if found is None:
        return ServiceState(service, name, "missing")
    if (found["Config"].get("Labels") or {}).get(OWNER_LABEL) != system:
        return ServiceState(service, name, "foreign")
    state = found["State"]
    return ServiceState(
        service,
        name,
        clean(str(state["Status"]), 40),
        clean(str((state.get("Health") or {}).get("Status", "")), 40),
        int(found.get("RestartCount", 0)),
        bool(state.get("OOMKilled")),
        int(state.get("ExitCode", 0)),
    )


def waiting_for(plan: LabPlan, states: Iterable[ServiceState]) -> tuple[str, ...]:
    """What still keeps the lab from being up, in words; empty when nothing does."""
    waiting = [f"{state.name} is {state}" for state in states if not state.fine]
    if waiting:
        return tuple(waiting)
    answers = [_front_answer(plan.template.front(plan))]
    if Service.PROMETHEUS in plan.services:
        answers.append(_metrics_answer(plan))
    return tuple(answer for answer in answers if answer)


def _front_answer(url: str) -> str:
    import httpx

    try:
        answer = httpx.get(url, timeout=QUESTION_TIMEOUT_S, trust_env=False)
    except httpx.HTTPError as error:
        return f"{url} does not answer ({type(error).__name__})"
    return "" if answer.status_code == 200 else f"{url} answers {answer.status_code}"


def _metrics_answer(plan: LabPlan) -> str:
    """Whether a rate over the histogram has a value yet, which takes two scrapes."""
    import httpx

    base = f"http://127.0.0.1:{plan.ports.prometheus}"
    query = "sum(rate(http_request_duration_seconds_count[1m]))"
    try:
        answer = httpx.get(f"{base}/api/v1/query", params={"query": query}, timeout=QUESTION_TIMEOUT_S, trust_env=False)
        found = answer.json()["data"]["result"]
        rate = float(found[0]["value"][1]) if found else 0.0
    except (httpx.HTTPError, ValueError, KeyError, IndexError) as error:
        return f"Prometheus at {base} does not answer ({type(error).__name__})"
    return "" if rate > 0 else "Prometheus has not scraped the backend's traffic yet"
