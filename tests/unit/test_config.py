"""config.toml: every error at once, each with file, line, column and key."""

from pathlib import Path

import pytest

from console.config import Config, Environment, find_config, load_config, shipped_config
from console.problem import Problems

MINIMAL = """
[systems.shop]
title = "Shop"
environment = "staging"
"""


def problems_of(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Problems) as caught:
        load_config(path)
    return [str(item).removeprefix(f"{path}:") for item in caught.value.items]


def load(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path).config


def test_the_shipped_config_is_valid_and_has_the_four_systems() -> None:
    loaded = load_config(shipped_config())
    assert list(loaded.config.systems) == ["sms", "planner", "dotmac", "sovd"]
    assert loaded.warnings == ()
    assert loaded.config.system(None).name == "sms"


def test_a_minimal_system_is_enough(tmp_path: Path) -> None:
    system = load(tmp_path, MINIMAL).system("shop")
    assert (system.name, system.environment, system.engine) == ("shop", Environment.STAGING, None)


def test_every_error_comes_in_one_go_with_its_place(tmp_path: Path) -> None:
    text = """
[systems.shop]
title = 5
environment = "prod"
ports = [0]
[systems.shop.redis]
  url = "http://x"
[systems.shop.thresholds]
p95_ms = { alert = 1, critcal = 2 }
"""
    assert problems_of(tmp_path, text) == [
        "3:1: systems.shop.title: input should be a valid string",
        "4:1: systems.shop.environment: must be one of lab, staging, production",
        "5:1: systems.shop.ports.0: input should be greater than or equal to 1",
        "7:3: systems.shop.redis.url: must begin with redis://, rediss:// or unix://",
        "9:1: systems.shop.thresholds.p95_ms.critical: is missing",
        "9:23: systems.shop.thresholds.p95_ms.critcal: there is no such key. Did you mean critical?",
    ]


def test_broken_toml_is_told_with_line_and_column(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, "[systems.shop]\ntitle = \n")
    assert problem.startswith("2:9: not valid TOML")


@pytest.mark.parametrize("text", ["", "x = 1", "systems = 3", "[systems]", '[systems.shop]\ntitle="x"\nenvironment="simulated"'])
def test_nothing_but_a_valid_config_is_accepted(tmp_path: Path, text: str) -> None:
    assert problems_of(tmp_path, text)


@pytest.mark.parametrize("dsn", ["mysql://u@h/d", "postgresql://h/d", "postgresql://u@h", "postgresql://u@h:99999/d"])
def test_a_wrong_dsn_is_refused(tmp_path: Path, dsn: str) -> None:
    (problem,) = problems_of(tmp_path, f'{MINIMAL}[systems.shop.postgres]\ndsn = "{dsn}"\n')
    assert problem.startswith("6:1: systems.shop.postgres.dsn: ")


def test_a_role_that_is_not_there_is_named(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, f'{MINIMAL}order = ["cache"]\n')
    assert problem == "5:1: systems.shop.order: 'cache' is not a role of this system. Add it to [systems.shop.roles]."


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(Problems, match="cannot be read: No such file"):
        load_config(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(Problems, match="not UTF-8"):
        load_config(tmp_path / "binary.toml")


def test_a_password_that_others_can_read_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f'{MINIMAL}[systems.shop.postgres]\ndsn = "postgresql://u@h/d"\npassword = "tiger-lily"\n', encoding="utf-8")
    path.chmod(0o644)
    (warning,) = load_config(path).warnings
    assert "systems.shop.postgres holds a password" in str(warning)
    assert "tiger-lily" not in str(warning)
    path.chmod(0o600)
    assert load_config(path).warnings == ()


def test_passwords_come_from_the_environment_then_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("from-file\n", encoding="utf-8")
    text = f"""{MINIMAL}[systems.shop.postgres]
dsn = "postgresql://u@h/d"
password_env = "SHOP_PASSWORD"
password_file = "{tmp_path}/secret"
"""
    postgres = load(tmp_path, text).system("shop").postgres
    assert postgres is not None
    assert postgres.find_password() == "from-file"
    monkeypatch.setenv("SHOP_PASSWORD", "from-environment")
    assert postgres.find_password() == "from-environment"
    monkeypatch.delenv("SHOP_PASSWORD")
    (tmp_path / "secret").unlink()
    assert postgres.find_password() is None


def test_a_password_is_not_in_the_representation(tmp_path: Path) -> None:
    text = f'{MINIMAL}[systems.shop.redis]\nurl = "redis://h"\npassword = "tiger-lily"\n'
    assert "tiger-lily" not in repr(load(tmp_path, text))


def test_the_own_config_wins_over_the_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert find_config() == shipped_config()
    own = tmp_path / "triage" / "config.toml"
    own.parent.mkdir()
    own.write_text(MINIMAL, encoding="utf-8")
    assert find_config() == own
    assert find_config(tmp_path / "given.toml") == tmp_path / "given.toml"


def test_an_unknown_system_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="Did you mean shop"):
        load(tmp_path, MINIMAL).system("shopp")
