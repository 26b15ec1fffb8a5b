import pytest

from console.guides.checks.settings import difference
from console.guides.role_settings import is_secret, parse_env, shown_value
from console.text import HIDDEN

EXPECTED = "postgresql://sovd_user@db:5432/sovd_db"


@pytest.mark.parametrize(
    ("value", "differs"),
    [
        ("postgresql://sovd_user:sovd_password@db:5432/sovd_db", ""),
        ("postgres://sovd_user:x@db/sovd_db", ""),
        ("postgresql+asyncpg://sovd_user:x@db/sovd_db", ""),
        ("mysql://sovd_user:x@db:5432/sovd_db", "scheme"),
        ("postgresql://sovd_user:x@database:5432/sovd_db", "host"),
        ("postgresql://sovd_user:x@db:5433/sovd_db", "port"),
        ("postgresql://sovd_user:x@db:5432/postgres", "database"),
        ("postgresql://root:x@db:5432/sovd_db", "user"),
        ("postgresql://db:notaport/sovd_db", "other"),
        ("db:5432", "other"),
    ],
)
def test_the_first_part_of_an_address_that_is_wrong_is_named(value: str, differs: str) -> None:
    assert difference(value, EXPECTED) == differs


def test_this_machine_has_several_names() -> None:
    assert difference("redis://127.0.0.1:6379/0", "redis://localhost/0") == ""
    assert difference("redis://[::1]/0", "redis://localhost/0") == ""


def test_a_driver_counts_when_one_is_expected() -> None:
    assert difference("postgresql://u@db/x", "postgresql+asyncpg://u@db/x") == "scheme"


def test_what_is_no_address_is_compared_whole() -> None:
    assert difference(" HS256 ", "HS256") == ""
    assert difference("HS512", "HS256") == "other"


def test_a_settings_file_is_read_as_compose_reads_it() -> None:
    text = """
# a comment
export SECRET_KEY=abc#not-a-comment   # a comment
EMPTY=
QUOTED="two words # inside \\"x\\"\\n"  # outside
SINGLE='$HOME \\n'
 SPACED = value with spaces
SMTP_HOST=old
SMTP_HOST=mail.example.org\r
not a line
"""
    assert parse_env(text) == {
        "SECRET_KEY": "abc#not-a-comment",
        "EMPTY": "",
        "QUOTED": 'two words # inside "x"\n',
        "SINGLE": "$HOME \\n",
        "SPACED": "value with spaces",
        "SMTP_HOST": "mail.example.org",
    }


@pytest.mark.parametrize(
    "name", ["SMTP_PASSWORD", "SMTP_PASS", "SECRET_KEY", "JWT_SECRET_KEY", "API_TOKEN", "PGPASSWORD", "FERNET_KEY"]
)
def test_secrets_are_known_by_their_names(name: str) -> None:
    assert is_secret(name)
    assert shown_value(name, "hunter22") == HIDDEN
    assert shown_value(name, "") == ""


@pytest.mark.parametrize(
    "name", ["DATABASE_URL", "SMTP_HOST", "KEYCLOAK_URL", "MONKEY", "BYPASS_CACHE", "ACCESS_TOKEN_EXPIRE_MINUTES"]
)
def test_other_names_are_no_secrets(name: str) -> None:
    assert not is_secret(name)


@pytest.mark.parametrize("password", ["x", "p@ss/w:rd", "hunter22"])
def test_an_address_is_shown_without_its_password(password: str) -> None:
    shown = shown_value("DATABASE_URL", f"postgresql://user:{password}@db:5432/name?sslmode=require")
    assert shown == f"postgresql://user:{HIDDEN}@db:5432/name?sslmode=require"


def test_control_characters_of_a_value_do_not_reach_the_screen() -> None:
    assert "\x1b" not in shown_value("LOG_LEVEL", "\x1b]0;owned\x07info")
