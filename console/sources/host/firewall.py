"""What a packet filter says of one incoming port: the text of `ufw status verbose`, `nft list ruleset` or
`iptables -S INPUT` → Firewall. Pure.

Rules are tried in order and the first that fits decides, then the default policy. A rule for some senders only decides nothing
for all, and one that is not understood makes the answer unknown.
"""

import re

from console.sources.protocols.host import Firewall
from console.text import clean

_UFW_RULE = re.compile(r"^(?P<to>\S.*?)\s{2,}(?P<verb>ALLOW|DENY|REJECT|LIMIT)(?: IN| OUT| FWD)?\s{2,}(?P<sender>\S.*)$")
_UFW_DEFAULT = re.compile(r"^Default:\s+(\w+) \(incoming\)", re.M)
_ANYWHERE = ("Anywhere", "Anywhere (v6)")
_HOOK = re.compile(r"type filter hook input priority [^;]*;(?:\s*policy (\w+);)?")
_DPORT = re.compile(r"\b(tcp|udp|th) dport (\{[^}]*\}|\S+)")
_VERDICT = re.compile(r"\b(accept|drop|reject|jump|goto|queue)\b")
_PLAIN = re.compile(r"^\s*(?:meta l4proto \S+ )?(?:tcp|udp|th) dport (?:\{[^}]*\}|\S+)\s*(?:ct state \S+ )?(?:counter[\w ]*)?\w+")
_HARMLESS = re.compile(r"\bct state\b|\biif(?:name)? \"?lo\"?|\bicmp|ip6? protocol icmp|meta l4proto (?:ipv6-)?icmp|\bfib\b")
_IPTABLES_PLAIN = re.compile(
    r" -p \w+| -m (?:tcp|udp|multiport|state|conntrack|comment)| --dports? [\d,:]+| --(?:ct)?state \S+"
    r'| --comment (?:"[^"]*"|\S+)| -j \w+| --reject-with \S+'
)
"""What a rule may hold beside the port and the verdict without being about some connections only."""


def ufw(printed: str, port: int, protocol: str) -> Firewall:
    """`ufw status verbose`. Raises ValueError when it is something else."""
    if "Status: inactive" in printed:
        return Firewall(False, True, "ufw", "Status: inactive")
    if "Status: active" not in printed:
        raise ValueError("no Status")
    unclear = ""
    for line in printed.splitlines():
        match = _UFW_RULE.match(line.strip())
        if match is None or line.strip().startswith("To ") or " OUT" in line or " FWD" in line:
            continue
        fits = _ufw_fits(match["to"], port, protocol)
        if fits is False:
            continue
        if fits is None or match["sender"].split("  ")[0].partition(" #")[0].strip() not in _ANYWHERE:
            unclear = unclear or line.strip()
            continue
        allows = match["verb"] in ("ALLOW", "LIMIT")
        return Firewall(True, None if unclear else allows, "ufw", clean(unclear or line.strip(), 200))
    default = _UFW_DEFAULT.search(printed)
    if unclear or default is None:
        return Firewall(True, None, "ufw", clean(unclear, 200))
    return Firewall(True, default.group(1) == "allow", "ufw", clean(default.group(), 200))


def nft(printed: str, port: int, protocol: str) -> Firewall:
    """`nft list ruleset`: every chain that sees incoming packets must let the port through."""
    chains = _input_chains(printed)
    if not chains:
        return Firewall(False, True, "nft")
    answers = [_nft_chain(policy, rules, port, protocol) for policy, rules in chains]
    for wanted in (False, None, True):
        for allows, line in answers:
            if allows is wanted:
                return Firewall(True, allows, "nft", clean(line, 200))
    return Firewall(True, None, "nft")


def iptables(printed: str, port: int, protocol: str) -> Firewall:
    """`iptables -S INPUT`. Rules of chains that it jumps to are not looked into."""
    policy = re.search(r"^-P INPUT (\w+)", printed, re.M)
    if policy is None:
        raise ValueError("no policy of INPUT")
    rules = [line for line in printed.splitlines() if line.startswith("-A INPUT")]
    if not rules and policy.group(1) == "ACCEPT":
        return Firewall(False, True, "iptables", policy.group())
    for rule in rules:
        fits = _iptables_fits(rule, port, protocol)
        if fits is False:
            continue
        verdict = re.search(r" -j (ACCEPT|DROP|REJECT)\b", rule)
        allows = None if fits is None or verdict is None else verdict.group(1) == "ACCEPT"
        return Firewall(True, allows, "iptables", clean(rule, 200))
    return Firewall(True, policy.group(1) == "ACCEPT", "iptables", policy.group())


def _iptables_fits(rule: str, port: int, protocol: str) -> bool | None:
    """Whether a rule is about connections from everywhere to the port; None when it cannot be told."""
    if " -j LOG" in rule or re.search(r" -i lo\b| -p (?:ipv6-)?icmp| --(?:ct)?state (?!\S*NEW)", rule):
        return False
    named = re.search(r" -p (\w+)", rule)
    if named and named.group(1) not in (protocol, "all"):
        return False
    ports = re.search(r" --dports? ([\d,:]+)", rule)
    if ports and not any(_in_range(part, ":", port) for part in ports.group(1).split(",")):
        return False
    rest = _IPTABLES_PLAIN.sub("", rule.removeprefix("-A INPUT"))
    return True if not rest.strip() else None


def _ufw_fits(to: str, port: int, protocol: str) -> bool | None:
    """Whether a rule's "To" holds the port; None when it cannot be told (an application's name, an address)."""
    words = to.replace("(v6)", "").strip()
    if words == "Anywhere":
        return True
    numbers, _, named = words.partition("/")
    if not re.fullmatch(r"[\d,:]+", numbers):
        return None
    if named and named != protocol:
        return False
    return any(_in_range(part, ":", port) for part in numbers.split(","))


def _in_range(part: str, between: str, port: int) -> bool:
    first, _, last = part.strip().partition(between)
    return first.isdigit() and int(first) <= port <= int(last if last.isdigit() else first)


def _input_chains(printed: str) -> list[tuple[str, list[str]]]:
    chains: list[tuple[str, list[str]]] = []
    inside: list[str] | None = None
    for line in printed.splitlines():
        hook = _HOOK.search(line)
        if hook is not None:
            inside = []
            chains.append((hook.group(1) or "accept", inside))
        elif line.strip() == "}":
            inside = None
        elif inside is not None and line.strip():
            inside.append(line.strip())
    return chains


def _nft_chain(policy: str, rules: list[str], port: int, protocol: str) -> tuple[bool | None, str]:
    for rule in rules:
        verdict, ports = _VERDICT.search(rule), _DPORT.search(rule)
        if verdict is None:
            continue
        if ports is not None:
            fits = ports.group(1) in (protocol, "th") and _nft_holds(ports.group(2), port)
            if fits is False:
                continue
            if fits is None or not _PLAIN.match(rule):
                return None, rule
        elif _HARMLESS.search(rule):
            continue
        elif rule.split(" ")[0] not in ("accept", "drop", "reject", "counter"):
            return None, rule
        if verdict.group(1) in ("accept", "drop", "reject"):
            return verdict.group(1) == "accept", rule
        return None, rule
    return policy == "accept", f"policy {policy}"


def _nft_holds(told: str, port: int) -> bool | None:
    parts = told.strip("{} ").split(",")
    if not all(re.fullmatch(r"\s*\d+(-\d+)?\s*", part) for part in parts):
        return None
    return any(_in_range(part, "-", port) for part in parts)
