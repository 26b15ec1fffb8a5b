import pytest
from certificate_chains import Authority, sign
from guide_stack import sms_config
from network_stack import NOW, NetworkStack, everything
from pydantic import ValidationError

from console.config_tables import CertificateConfig
from console.guides.checks.dns import host_in
from console.guides.checks.smtp import mail_settings
from console.reading import FailureKind, SourceError
from console.sources.network.answers import tls_answer, tls_silence, trust
from console.sources.protocols.network import SmtpAnswer, SnmpAnswer

FILE, ROOT = "/etc/tls/web.pem", "/etc/tls/root.pem"
PLAIN = CertificateConfig(file=FILE, address="web.example:443")
SMTP = {"SMTP_HOST": "mail.example", "SMTP_USER": "office@school.example", "SMTP_PASSWORD": "s3cret-word"}


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority(NOW)


@pytest.fixture
def stack(authority: Authority) -> NetworkStack:
    changes = {
        "certificates": {"web": PLAIN.model_copy(update={"authority": ROOT}), "public": PLAIN, "none": CertificateConfig()},
        "endpoints": {"api": "https://api.example/v1"},
        "links": {"pay": "https://pay.example:8443/"},
        "resolver": "192.0.2.53",
    }
    made = NetworkStack(sms_config().model_copy(update=changes))
    made.host.files[ROOT] = authority.root.pem
    return made


def pem(*items) -> bytes:
    return b"".join(item.pem for item in items)


# ------------------------------------------------------------------------------------------------------------ certificates


async def test_a_good_certificate_file(stack: NetworkStack, authority: Authority) -> None:
    stack.host.files[FILE] = pem(authority.leaf("web.example"), authority.between)
    outcome = await stack.make("tls.file", certificate="web")
    assert outcome.facts == {
        "readable": True,
        "days_left": 90.0,
        "expired": False,
        "name_matches": True,
        "chain_complete": True,
        "self_signed": False,
    }
    assert len(outcome.evidence) == 2


async def test_what_is_wrong_with_a_certificate_file_is_told_apart(stack: NetworkStack, authority: Authority) -> None:
    late = authority.leaf("web.example", days=(-90, -3))
    cases = {
        "expired": (pem(late, authority.between), {"expired": True, "days_left": -3.0, "chain_complete": True}),
        "name": (pem(authority.leaf("other.example"), authority.between), {"name_matches": False, "expired": False}),
        "chain": (pem(authority.leaf("web.example")), {"chain_complete": False, "name_matches": True, "self_signed": False}),
        "own": (pem(sign("web.example", now=NOW)), {"self_signed": True, "chain_complete": False, "name_matches": True}),
    }
    for raw, expected in cases.values():
        stack.host.files[FILE] = raw
        facts = (await stack.make("tls.file", certificate="web")).facts
        assert {name: facts[name] for name in expected} == expected


@pytest.mark.parametrize("found", [FailureKind.MISSING, FailureKind.FORBIDDEN, b"", b"\x1b[31m-----BEGIN CERTIFICATE-----\n"])
async def test_a_file_without_a_certificate_is_not_readable(stack: NetworkStack, found) -> None:
    stack.host.files[FILE] = found
    facts = (await stack.make("tls.file", certificate="web")).facts
    assert (facts["readable"], facts["expired"], facts["days_left"]) == (False, None, None)


async def test_a_machine_that_does_not_answer_leaves_the_file_unknown(stack: NetworkStack) -> None:
    stack.host.files[FILE] = FailureKind.TIMEOUT
    outcome = await stack.make("tls.file", certificate="web")
    assert (outcome.facts["readable"], outcome.failure is not None) == (None, True)


async def test_the_machine_s_own_authorities_are_asked_when_none_is_configured(stack: NetworkStack, authority: Authority) -> None:
    stack.host.files[FILE] = pem(authority.leaf("web.example"), authority.between)
    outcome = await stack.make("tls.file", certificate="public")
    assert (outcome.facts["chain_complete"], len(outcome.unread)) == (None, 1)
    stack.host.files["/etc/pki/tls/certs/ca-bundle.crt"] = pem(sign("X", authority=True, now=NOW), authority.root)
    assert (await stack.make("tls.file", certificate="public")).facts["chain_complete"] is True


async def test_a_live_certificate_is_compared_with_its_file(stack: NetworkStack, authority: Authority) -> None:
    old, new = authority.leaf("web.example", days=(-80, 10)), authority.leaf("web.example")
    stack.network.shown = tls_answer([old.der, authority.between.der], name="web.example", trusted=True)
    stack.host.files[FILE] = pem(new, authority.between)
    facts = (await stack.make("tls.live", certificate="web")).facts
    assert (facts["same_as_file"], facts["days_left"], facts["chain_complete"]) == (False, 10.0, True)
    stack.host.files[FILE] = pem(old)
    assert (await stack.make("tls.live", certificate="web")).facts["same_as_file"] is True
    del stack.host.files[FILE]
    outcome = await stack.make("tls.live", certificate="web")
    assert (outcome.facts["same_as_file"], outcome.facts["answered"], len(outcome.unread)) == (None, True, 1)


async def test_an_authority_that_expired_on_the_way_counts_when_the_client_says_so(stack: NetworkStack) -> None:
    old = Authority(NOW - 3200 * 86_400)
    leaf = sign("web.example", old.between, names=("web.example",), now=NOW)
    chain = [leaf.der, old.between.der]
    trusted, words = trust(chain, [old.root.der], NOW)
    assert (trusted, words) == (True, "certificate has expired")
    for message, expired in ((words, True), ("", False)):
        stack.network.shown = tls_answer(chain, name="web.example", trusted=True, message=message)
        assert (await stack.make("tls.live", certificate="web")).facts["expired"] is expired


async def test_a_server_without_tls_gives_no_certificate(stack: NetworkStack) -> None:
    stack.network.shown = tls_silence("tls", "WRONG_VERSION_NUMBER")
    facts = (await stack.make("tls.live", certificate="web")).facts
    assert (facts["answered"], facts["reason"], facts["expired"]) == (False, "tls", None)


async def test_certificates_that_are_not_configured_are_unknown(stack: NetworkStack) -> None:
    for name in ("none", "gone"):
        for check in ("tls.file", "tls.live"):
            outcome = await stack.make(check, certificate=name)
            assert outcome.failure is not None
            assert outcome.failure.kind is FailureKind.NOT_CONFIGURED
            assert "configured>" in stack.command(check, certificate=name)


# ------------------------------------------------------------------------------------------------------------ names, ports


async def test_a_name_that_only_the_second_resolver_knows(stack: NetworkStack) -> None:
    stack.network.names = {("pay.example", ""): "SERVFAIL", ("pay.example", "192.0.2.53"): ["192.0.2.7"]}
    facts = (await stack.make("dns.resolve", link="pay")).facts
    assert (facts["resolves"], facts["reason"], facts["other_resolves"], facts["other_reason"]) == (False, "other", True, "")
    assert stack.command("dns.resolve", link="pay") == "getent ahosts pay.example && dig +short pay.example @192.0.2.53"


async def test_a_name_that_nobody_knows(stack: NetworkStack) -> None:
    facts = (await stack.make("dns.resolve", host="gone.example")).facts
    assert (facts["resolves"], facts["reason"], facts["other_resolves"]) == (False, "nxdomain", False)


async def test_a_second_resolver_that_is_silent_says_nothing_about_the_name(stack: NetworkStack) -> None:
    stack.network.names = {("api.example", ""): ["192.0.2.1"], ("api.example", "192.0.2.53"): "TIMEOUT"}
    outcome = await stack.make("dns.resolve", endpoint="api")
    assert (outcome.facts["resolves"], outcome.facts["addresses"]) == (True, 1)
    assert (outcome.facts["other_resolves"], outcome.facts["other_reason"], len(outcome.unread)) == (None, "timeout", 1)


async def test_the_host_of_a_setting_is_resolved_and_its_password_not_shown(stack: NetworkStack) -> None:
    stack.engine.environment = {"DATABASE_URL": "postgresql://sms:geheim@db.example:5432/sms"}
    stack.network.names = {("db.example", ""): ["192.0.2.1"]}
    outcome = await stack.make("dns.resolve", role_host="backend:DATABASE_URL")
    assert outcome.facts["resolves"] is True
    assert "geheim" not in everything(outcome)
    assert (await stack.make("dns.resolve", role_host="backend:ABSENT")).facts["resolves"] is None


@pytest.mark.parametrize(
    ("value", "host"),
    [("http://u:p@h.example:1/x", "h.example"), ("h.example:25", "h.example"), ("h", "h"), ("redis://[::1]:6379/0", "::1")],
)
def test_the_host_in_a_setting(value: str, host: str) -> None:
    assert host_in(value, "X") == host


@pytest.mark.parametrize("value", ["", "http://", "a b", "x\x1b[31m"])
def test_a_setting_without_a_host(value: str) -> None:
    with pytest.raises(SourceError, match="names no host"):
        host_in(value, "X")


@pytest.mark.parametrize(
    ("parameters", "place"),
    [
        ({"to": "database"}, ("127.0.0.1", 5432)),
        ({"to": "cache"}, ("127.0.0.1", 6379)),
        ({"to": "api"}, ("api.example", 443)),
        ({"to": "pay"}, ("pay.example", 8443)),
        ({"host": "h.example", "port": 22}, ("h.example", 22)),
    ],
)
async def test_a_port_is_open_or_why_it_is_not(stack: NetworkStack, parameters, place: tuple[str, int]) -> None:
    assert (await stack.make("net.tcp", **parameters)).facts == {"open": True, "reason": ""}
    stack.network.closed[place] = "refused"
    assert (await stack.make("net.tcp", **parameters)).facts == {"open": False, "reason": "refused"}
    assert stack.command("net.tcp", **parameters) == f"nc -vz -w 2 {place[0]} {place[1]}"


async def test_a_place_that_is_not_known_is_unknown(stack: NetworkStack) -> None:
    assert (await stack.make("net.tcp", to="nowhere")).facts["open"] is None
    with pytest.raises(ValidationError):
        stack.command("net.tcp", host="h.example")


# ------------------------------------------------------------------------------------------------------------------- mail


async def test_a_mail_server_is_asked_with_the_settings_of_the_role(stack: NetworkStack) -> None:
    stack.engine.environment = {**SMTP, "SMTP_PORT": "2525", "SMTP_FROM": "School <office@school.example>"}
    stack.network.names = {("mail.example", ""): ["192.0.2.9"]}
    outcome = await stack.make("smtp.login")
    assert outcome.facts == {
        "set": True,
        "missing": "",
        "reachable": True,
        "tls": True,
        "login_accepted": True,
        "sender_accepted": True,
        "reason": "",
    }
    host, port, asked = stack.network.asked[0]
    assert (host, port, asked["password"], asked["sender"]) == ("mail.example", 2525, "s3cret-word", "office@school.example")


async def test_a_password_that_the_server_repeats_is_not_shown(stack: NetworkStack) -> None:
    stack.engine.environment = SMTP
    stack.network.mail = SmtpAnswer(True, True, False, None, "", "535 wrong: s3cret-word")
    outcome = await stack.make("smtp.login")
    assert (outcome.facts["login_accepted"], outcome.facts["sender_accepted"]) == (False, None)
    assert "s3cret" not in everything(outcome) + stack.command("smtp.login")


async def test_a_name_of_the_containers_network_is_asked_at_its_address(stack: NetworkStack) -> None:
    stack.engine.environment = {**SMTP, "SMTP_HOST": "sms-mail"}
    await stack.make("smtp.login")
    assert stack.network.asked[0][:2] == ("172.20.0.9", 587)


async def test_without_settings_nobody_is_asked(stack: NetworkStack) -> None:
    facts = (await stack.make("smtp.login")).facts
    assert (facts["set"], facts["missing"], facts["reachable"]) == (False, "SMTP_HOST", None)
    assert stack.network.asked == []


async def test_settings_that_cannot_be_read_are_unknown(stack: NetworkStack) -> None:
    stack.engine.failure = SourceError(FailureKind.TIMEOUT, "The engine did not answer.")
    assert (await stack.make("smtp.login")).facts["set"] is None


@pytest.mark.parametrize(
    ("environment", "missing", "port"),
    [
        (SMTP, "", 587),
        ({**SMTP, "SMTP_PASSWORD": " "}, "SMTP_PASSWORD", 587),
        ({**SMTP, "SMTP_PORT": "465"}, "", 465),
        ({**SMTP, "SMTP_PORT": "none"}, "SMTP_PORT", 587),
        ({**SMTP, "SMTP_PORT": "99999"}, "SMTP_PORT", 587),
        ({**SMTP, "SMTP_PORT": "9" * 5000}, "SMTP_PORT", 587),
        ({"SMTP_HOST": "h", "SMTP_USERNAME": "u", "SMTP_PASS": "p"}, "", 587),
        ({}, "SMTP_HOST", 587),
    ],
)
def test_mail_settings_of_an_environment(environment: dict[str, str], missing: str, port: int) -> None:
    found = mail_settings(environment, "SMTP_")
    assert (found.missing, found.port) == (missing, port)


# ------------------------------------------------------------------------------------------------------------------- SNMP


async def test_the_versions_that_a_device_answers(stack: NetworkStack) -> None:
    stack.network.devices = {"2c": SnmpAnswer("2c", True, "router s3cret-community")}
    outcome = await stack.make("snmp.versions", host="192.0.2.1", community="s3cret-community")
    assert outcome.facts == {"v1": False, "v2c": True, "v3": False, "any": True, "reason": ""}
    assert "s3cret" not in everything(outcome) + stack.command("snmp.versions", host="h", community="s3cret-community")


async def test_devices_are_asked_at_the_configured_port_unless_the_guide_names_one(stack: NetworkStack) -> None:
    await stack.make("snmp.versions", host="192.0.2.1", community="x")
    await stack.make("snmp.versions", host="192.0.2.1", community="x", port=1161)
    assert {more["port"] for _, _, more in stack.network.asked} == {161, 1161}
    assert "192.0.2.1:1161" in stack.command("snmp.versions", host="192.0.2.1", community="x", port=1161)


@pytest.mark.parametrize(
    ("reasons", "told"),
    [
        (("timeout", "timeout", "timeout"), "timeout"),
        (("timeout", "timeout", "auth"), "auth"),
        (("refused", "timeout", "refused"), "refused"),
        (("lost", "other", "other"), "other"),
    ],
)
async def test_why_a_device_answers_nothing(stack: NetworkStack, reasons: tuple[str, ...], told: str) -> None:
    stack.network.devices = {
        version: SnmpAnswer(version, False, "", reason, "") for version, reason in zip(("1", "2c", "3"), reasons, strict=True)
    }
    facts = (await stack.make("snmp.versions", host="192.0.2.1", community="x")).facts
    assert (facts["any"], facts["reason"]) == (False, told)
