"""What differs between versions, and what every statement must have."""

import pytest

from console.sources.postgres import queries


def test_how_long_is_waited_is_asked_from_version_14_on() -> None:
    assert "waitstart" not in queries.waits(130011)
    assert "waitstart" in queries.waits(140000)


@pytest.mark.parametrize(
    "query",
    [
        queries.SETTINGS,
        queries.SERVER,
        queries.SESSIONS,
        queries.SIZE,
        queries.PRIVILEGES,
        queries.SIGNAL,
        queries.OWNER,
        queries.STILL_THERE,
        queries.waits(150000),
    ],
)
def test_every_statement_names_the_program(query: str) -> None:
    assert query.strip().startswith("/* triage")
