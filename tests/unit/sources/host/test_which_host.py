"""Which machine a configured system asks."""

import pytest
from pydantic import ValidationError

from console.config import load_config, shipped_config
from console.config_tables import HostConfig
from console.reading import FailureKind, SourceError
from console.sources.host import LocalHost
from console.sources.host.container import ContainerHost
from console.system import live_system


def test_without_a_table_it_is_this_machine() -> None:
    config = load_config(shipped_config()).config.system("sms").model_copy(update={"host": HostConfig()})
    assert isinstance(live_system(config).host, LocalHost)


async def test_a_container_that_plays_the_machine_is_asked_through_the_engine() -> None:
    played = HostConfig(kind="container", container="dotmac-host")
    config = load_config(shipped_config()).config.system("sms").model_copy(update={"host": played, "engine": None})
    host = live_system(config).host
    assert isinstance(host, ContainerHost)
    with pytest.raises(SourceError) as caught:
        await host.now()
    assert caught.value.failure.kind is FailureKind.NOT_CONFIGURED


def test_a_container_that_plays_the_machine_must_be_named() -> None:
    with pytest.raises(ValidationError, match="needs container"):
        HostConfig(kind="container")
