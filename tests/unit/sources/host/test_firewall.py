"""What the packet filter says of a port, from what ufw 0.36 and nft 1.0 print."""

import pytest

from console.sources.host.firewall import iptables, nft, ufw

UFW = """Status: active
Logging: on (low)
Default: deny (incoming), allow (outgoing), disabled (routed)
New profiles: skip

To                         Action      From
--                         ------      ----
22/tcp                     LIMIT IN    Anywhere
8000/tcp                   ALLOW IN    Anywhere                   # the service
5432                       ALLOW IN    10.0.0.0/8
161/udp                    DENY IN     Anywhere
80,443/tcp                 ALLOW IN    Anywhere
9000:9010/tcp              ALLOW IN    Anywhere
6379                       DENY IN     Anywhere
6379                       ALLOW IN    Anywhere
25/tcp                     ALLOW OUT   Anywhere on eth0
8000/tcp (v6)              ALLOW IN    Anywhere (v6)
"""
NFT = """table inet filter {
\tchain input {
\t\ttype filter hook input priority filter; policy drop;
\t\tct state { established, related } accept
\t\tiif "lo" accept
\t\ttcp dport { 22, 8000-8010 } accept
\t\ttcp dport 8005 drop
\t\tip saddr 10.0.0.0/8 tcp dport 5432 accept
\t\tudp dport 161 counter packets 1 bytes 60 accept
\t}
\tchain output {
\t\ttype filter hook output priority filter; policy accept;
\t}
}
"""


@pytest.mark.parametrize(
    ("port", "protocol", "allows"),
    [
        (8000, "tcp", True),
        (8000, "udp", False),
        (22, "tcp", True),
        (443, "tcp", True),
        (9005, "tcp", True),
        (9011, "tcp", False),
        (161, "udp", False),
        (6379, "tcp", False),
        (5432, "tcp", None),
        (25, "tcp", False),
    ],
)
def test_the_first_rule_of_ufw_that_fits_decides(port: int, protocol: str, allows: bool | None) -> None:
    found = ufw(UFW, port, protocol)
    assert (found.active, found.allows, found.tool) == (True, allows, "ufw")
    assert found.line


def test_a_ufw_that_is_off_lets_everything_in() -> None:
    found = ufw("Status: inactive\n", 8000, "tcp")
    assert (found.active, found.allows) == (False, True)


def test_a_rule_for_an_application_makes_it_unknown() -> None:
    text = UFW.replace("22/tcp                     LIMIT", "Nginx Full                 ALLOW")
    assert ufw(text, 7777, "tcp").allows is None


def test_ufw_without_a_default_is_unknown() -> None:
    assert ufw("Status: active\n", 8000, "tcp").allows is None
    with pytest.raises(ValueError, match="Status"):
        ufw("ERROR: problem running", 8000, "tcp")


@pytest.mark.parametrize(
    ("port", "protocol", "allows"),
    [(22, "tcp", True), (8005, "tcp", True), (8011, "tcp", False), (5432, "tcp", None), (161, "udp", True), (22, "udp", False)],
)
def test_the_first_rule_of_nft_that_fits_decides(port: int, protocol: str, allows: bool | None) -> None:
    found = nft(NFT, port, protocol)
    assert (found.active, found.allows, found.tool) == (True, allows, "nft")


def test_an_nft_without_an_input_chain_lets_everything_in() -> None:
    assert nft("table ip nat {\n}\n", 8000, "tcp").active is False


def test_an_nft_rule_that_leads_elsewhere_makes_it_unknown() -> None:
    text = NFT.replace("\t\tudp dport 161 counter packets 1 bytes 60 accept\n", "\t\tjump more\n")
    assert nft(text, 9000, "tcp").allows is None


IPTABLES = """-P INPUT DROP
-A INPUT -i lo -j ACCEPT
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 5432 -j ACCEPT
-A INPUT -p tcp -m multiport --dports 80,8000:8010 -m comment --comment "the app" -j ACCEPT
-A INPUT -p tcp -m tcp --dport 6379 -j guests
-A INPUT -p udp -m udp --dport 161 -j REJECT --reject-with icmp-port-unreachable
"""


@pytest.mark.parametrize(
    ("port", "protocol", "allows"),
    [
        (22, "tcp", True),
        (8005, "tcp", True),
        (8005, "udp", False),
        (5432, "tcp", None),
        (6379, "tcp", None),
        (161, "udp", False),
        (9000, "tcp", False),
    ],
)
def test_rules_of_iptables_are_tried_in_order_and_those_for_some_senders_leave_it_unknown(
    port: int, protocol: str, allows: bool | None
) -> None:
    found = iptables(IPTABLES, port, protocol)
    assert (found.active, found.allows, found.tool) == (True, allows, "iptables")


def test_iptables_without_a_rule_is_no_filter_and_other_text_is_not_understood() -> None:
    assert iptables("-P INPUT ACCEPT\n", 8000, "tcp").active is False
    with pytest.raises(ValueError, match="policy"):
        iptables("iptables v1.8", 8000, "tcp")
