"""What the lab makes, before anything is made."""

import dataclasses
from collections.abc import Callable

import pytest

from console.config import Environment, SystemConfig, load_config, shipped_config
from console.config_tables import LabConfig
from console.practice.lab.errors import LabError
from console.practice.lab.plan import container_specs, creation, lab_plan
from console.practice.lab.spec import MIB, LabPlan, Service


@pytest.fixture
def config() -> SystemConfig:
    return load_config(shipped_config()).config.systems["sms"]


@pytest.fixture
def plan(config: SystemConfig) -> LabPlan:
    return lab_plan("sms", config)


def secret(name: str, make: Callable[[], str] | None = None) -> str:
    return make() if make else name


def test_the_shipped_system_gets_the_guides_container_names(plan: LabPlan) -> None:
    assert [plan.names[service] for service in plan.services] == [
        "sms-postgres",
        "sms-redis",
        "sms-db-backup",
        "sms-mail",
        "sms-help",
        "sms-backend",
        "sms-frontend-proxy",
        "sms-prometheus",
        "sms-load",
    ]
    assert plan.network == "sms_default"


def test_everything_is_labelled_as_the_labs_own_and_as_the_systems(plan: LabPlan) -> None:
    for spec in container_specs(plan, secret):
        labels = creation(spec, plan, "triage-lab:1")["Labels"]
        assert labels["triage.lab"] == "sms"
        assert labels["com.sms.network"] == "sms"


def test_ports_are_published_on_the_loopback_address_alone(config: SystemConfig) -> None:
    own = config.model_copy(update={"lab": LabConfig(postgres=15432)})
    plan = lab_plan("sms", own)
    bindings = {}
    for spec in container_specs(plan, secret):
        bindings.update(creation(spec, plan, "triage-lab:1")["HostConfig"].get("PortBindings", {}))
    assert bindings["5432/tcp"] == [{"HostIp": "127.0.0.1", "HostPort": "15432"}]
    assert {item["HostIp"] for found in bindings.values() for item in found} == {"127.0.0.1"}


def test_backend_database_and_cache_are_checked_and_the_proxy_is_not(plan: LabPlan) -> None:
    checked = {spec.service for spec in container_specs(plan, secret) if spec.health}
    assert checked == {Service.DATABASE, Service.CACHE, Service.BACKEND}


def test_swap_never_stretches_a_memory_limit(plan: LabPlan) -> None:
    spec = next(spec for spec in container_specs(plan, secret) if spec.service is Service.BACKEND)
    host = creation(spec, plan, "triage-lab:1")["HostConfig"]
    assert host["Memory"] == host["MemorySwap"] == 256 * MIB


def test_a_container_is_made_anew_when_what_it_is_made_with_changes(plan: LabPlan) -> None:
    spec = container_specs(plan, secret)[0]
    other = dataclasses.replace(spec, memory_bytes=spec.memory_bytes * 2)
    prints = {spec.fingerprint("triage-lab:1"), spec.fingerprint("triage-lab:2"), other.fingerprint("triage-lab:1")}
    assert len(prints) == 3
    assert spec.fingerprint("triage-lab:1") in prints


def test_a_system_that_is_not_a_lab_is_refused(config: SystemConfig) -> None:
    production = config.model_copy(update={"environment": Environment.PRODUCTION})
    with pytest.raises(LabError, match="sms is production"):
        lab_plan("sms", production)


def test_a_system_without_the_labs_roles_is_refused_with_what_is_missing(config: SystemConfig) -> None:
    partial = config.model_copy(update={"roles": {"backend": "api", "database": "db"}})
    with pytest.raises(LabError, match="names no cache and no proxy"):
        lab_plan("other", partial)
