import asyncio
import socket
import ssl
import time

import pytest
from certificate_chains import Authority, sign

from console.certificates import certificate, holds_name, pem_certificates, trust
from console.reading import FailureKind, SourceError
from console.sources.network.answers import http_answer, shown_url, smtp_answer, snmp_answer, tls_answer, unresolved, why

NOW = 1_795_000_000.0


@pytest.fixture(scope="module")
def then() -> Authority:
    return Authority(NOW)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionRefusedError(111, "refused"), "refused"),
        (TimeoutError(), "timeout"),
        (socket.gaierror(-2, "Name or service not known"), "unresolved"),
        (OSError(101, "Network is unreachable"), "unreachable"),
        (OSError(113, "No route to host"), "unreachable"),
        (ConnectionResetError(104, "reset"), "lost"),
        (asyncio.IncompleteReadError(b"", 4), "lost"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]"), "tls"),
        (ExceptionGroup("both", [OSError("x"), ConnectionRefusedError(111, "refused")]), "refused"),
        (ValueError("\x1b[31mnonsense"), "other"),
    ],
)
def test_an_exception_is_told_as_the_reason_for_no_answer(error: BaseException, reason: str) -> None:
    outer = RuntimeError("wrapped")
    outer.__cause__ = error
    assert why(error)[0] == why(outer)[0] == reason
    assert "\x1b" not in why(error)[1]


def test_a_chain_is_judged_by_authority_apart_from_its_dates(then: Authority) -> None:
    leaf, late = then.leaf("a.example"), then.leaf("a.example", days=(-30, -1))
    early = then.leaf("a.example", days=(1, 30))
    roots = [sign("Other Root", authority=True, now=NOW).der, then.root.der]
    assert trust([leaf.der, then.between.der], roots, NOW) == (True, "")
    assert trust([leaf.der, then.between.der, then.root.der], roots, NOW) == (True, "")
    assert trust([leaf.der], roots, NOW) == (False, "unable to get local issuer certificate")
    assert trust([leaf.der, then.between.der], roots[:1], NOW)[0] is False
    assert trust([late.der, then.between.der], roots, NOW) == (True, "certificate has expired")
    assert trust([early.der, then.between.der], roots, NOW) == (True, "certificate is not yet valid")
    assert trust([], roots, NOW)[0] is False


def test_a_certificate_that_vouches_for_itself_is_trusted_only_when_it_is_known() -> None:
    own = sign("a.example", names=("a.example",), now=NOW)
    assert trust([own.der], [], NOW) == (False, "self-signed certificate")
    assert trust([own.der], [own.der], NOW) == (True, "")
    assert certificate(own.der).self_signed


def test_an_authority_of_the_same_name_but_another_key_is_not_the_issuer(then: Authority) -> None:
    impostor = sign("Test Between", then.root, authority=True, now=NOW)
    assert trust([then.leaf("a.example").der, impostor.der], [then.root.der], NOW)[0] is False


def test_an_old_root_at_the_end_of_the_chain_harms_nobody(then: Authority) -> None:
    old = sign("Test Root", authority=True, days=(-900, -30), now=NOW)
    assert trust([then.leaf("a.example").der, then.between.der, old.der], [then.root.der], NOW) == (True, "")


@pytest.mark.parametrize(
    ("names", "name", "held"),
    [
        (("a.example",), "A.Example.", True),
        (("*.example.org",), "a.example.org", True),
        (("*.example.org",), "a.b.example.org", False),
        (("*.example.org",), "example.org", False),
        (("*.org",), "example.org", False),
        (("192.0.2.1",), "192.0.2.1", True),
        (("2001:db8::1",), "[2001:0db8:0::1]", True),
        (("*.0.2.1",), "192.0.2.1", False),
        ((), "a.example", False),
    ],
)
def test_whose_name_a_certificate_holds(names: tuple[str, ...], name: str, held: bool) -> None:
    assert holds_name(names, name) is held


def test_a_pem_file_gives_its_certificates_and_never_its_key(then: Authority) -> None:
    leaf = then.leaf("a.example")
    pem = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" + leaf.pem + b"noise\n" + then.between.pem
    assert pem_certificates(pem) == (leaf.der, then.between.der)


@pytest.mark.parametrize("raw", [b"", b"\x00\xff" * 100, b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_holds_no_certificate_says_so(raw: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        pem_certificates(raw)
    assert caught.value.failure.kind is FailureKind.GARBAGE


def test_a_broken_certificate_of_a_server_is_garbage() -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        tls_answer([b"\x30\x03\x02\x01\x01"], name="a", trusted=False)


def test_a_long_list_of_authorities_is_looked_through_quickly(then: Authority) -> None:
    many = [sign(f"Root {number}", authority=True, now=NOW).der for number in range(150)]
    started = time.perf_counter()
    assert trust([then.leaf("a.example").der, then.between.der], [*many, then.root.der], NOW)[0]
    assert time.perf_counter() - started < 0.5


def test_tokens_and_passwords_of_an_address_are_not_in_an_answer() -> None:
    assert shown_url("https://user:pw@shop.example:8443/a?token=x#y") == "https://shop.example:8443/a"
    assert shown_url("http://h?next=//user@x") == "http://h"


def test_of_a_repeated_header_the_first_is_kept_and_a_flood_is_cut() -> None:
    answer = http_answer("http://h/", 200, [("Server", "a"), ("server", "b"), *((f"X-{n}", "y") for n in range(500))], b"", 0.1)
    assert (answer.headers["server"], len(answer.headers)) == ("a", 99)


@pytest.mark.parametrize(
    ("replies", "starttls", "expected"),
    [
        ([], False, (False, None, None, None, "")),
        ([("connect", 554, "no")], False, (True, None, None, None, "other")),
        ([("connect", 220, "hi"), ("ehlo", 250, "")], False, (True, False, None, None, "")),
        ([("connect", 220, "hi"), ("ehlo", 250, ""), ("auth", 535, "no")], True, (True, True, False, None, "")),
        ([("connect", 220, ""), ("ehlo", 250, ""), ("auth", 235, ""), ("mail", 553, "no")], True, (True, True, True, False, "")),
    ],
)
def test_replies_of_a_mail_server(replies: list[tuple[str, int, str]], starttls: bool, expected: tuple[object, ...]) -> None:
    answer = smtp_answer(replies, starttls=starttls)
    found = (answer.connected, answer.starttls, answer.login_accepted, answer.sender_accepted, answer.reason)
    assert found == expected


def test_codes_and_exceptions_of_resolvers() -> None:
    assert unresolved("a", "", "NXDOMAIN", 0.1).reason == "nxdomain"
    assert unresolved("a", "", "SERVFAIL", 0.1).reason == "other"
    assert unresolved("a", "", socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), 0.1).reason == "other"
    assert unresolved("a\x1b[31m", "", "\x1b[2J", 0.1).message == ""


def test_a_device_s_description_comes_out_clean() -> None:
    assert snmp_answer("2c", b"router\x1b[31m\x00\xff").description == "router␀\ufffd"
