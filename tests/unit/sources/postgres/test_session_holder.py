"""Who holds a session: the port of a client differs for each of its sessions, so it does not count."""

from dataclasses import replace

import pytest

from console.sources.protocols.database import Session

SESSION = Session(1, 0.0, "d", "u", "app", "", "client backend", "idle", "", "", None, None, None, "")


@pytest.mark.parametrize(
    ("client", "held_from"),
    [
        ("172.18.0.5:60166", "172.18.0.5"),
        ("[fe80::1]:5432", "[fe80::1]"),
        ("fe80::1", "fe80::1"),
        ("local", "local"),
        ("", ""),
    ],
)
def test_a_holder_has_no_port(client: str, held_from: str) -> None:
    assert replace(SESSION, client=client).holder == ("u", "app", held_from)
