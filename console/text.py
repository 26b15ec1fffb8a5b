"""Every foreign string enters here: log lines, names, labels, SQL, keys, server error texts.

A terminal obeys what it is sent, and the widgets below us pass escape sequences, C1 controls and NUL through. So control
sequences are taken out, what remains of control characters is made visible, secrets are hidden and length is bounded,
before anything is stored for showing.
"""

import re
from collections import Counter

MAX_LENGTH = 4_096
"""Characters of one string that are kept; the longest line an operator reads is far below it."""

# CSI; then OSC, DCS, SOS, PM and APC with their payload up to ST or BEL, a line end, or a bound (a truncated one must not
# swallow the rest of the text); then two-character escapes.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c\n]{0,4096}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]{0,4}[0-Z\\^-~]"
)
# C0, DEL, C1; line and paragraph separators; zero-width, bidirectional and invisible format characters; variation
# selectors stay, they only choose a glyph.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)

# Each with the words of which one must be in the lowered text: looking for them costs a fiftieth of trying the pattern, and
# every line of every log passes here.
_SECRETS: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    # scheme://user:password@host
    (("://",), re.compile(r"(?i)(\b[a-z][a-z0-9+.-]{1,30}://[^\s:/@]{0,100}:)([^\s@]{1,300})(?=@)")),
    # password=…, "password": "…", --token …, PGPASSWORD=…
    (
        ("passw", "pwd", "secret", "key", "token", "credential"),
        re.compile(
            r"(?i)([\"']?\b[\w.-]{0,40}(?:passw(?:or)?d|pwd|secret(?:_?key)?|api_?key|access_?key|private_?key|auth_?token|token|credential)s?[\"']?"
            r"\s{0,3}[=:]\s{0,3})(\"[^\"]{1,300}\"|'[^']{1,300}'|[^\s,;&\"'}\])]{1,300})"
        ),
    ),
    # SQL: PASSWORD 'x', IDENTIFIED BY 'x'
    (
        ("password", "identified"),
        re.compile(r"(?i)(\b(?:password|(?<!revision )identified\s+by)\s{1,5}(?:to\s{1,5})?)('[^']{0,300}')"),
    ),
    # Authorization: Bearer x / Basic x
    (("bearer", "basic"), re.compile(r"(?i)(\b(?:bearer|basic)\s{1,3})([a-z0-9._~+/=-]{8,2000})")),
    # JSON Web Token
    (("eyj",), re.compile(r"()(\beyJ[\w-]{5,2000}\.[\w-]{5,4000}\.[\w-]{0,2000})")),
    # Redis AUTH, and flags such as -a
    (("auth",), re.compile(r"(?i)(\bAUTH\s{1,3})(\"[^\"]{1,200}\"|\S{1,200})")),
    # AWS access key ids, private key blocks on one line
    (("akia", "asia"), re.compile(r"()(\b(?:AKIA|ASIA)[0-9A-Z]{16}\b)")),
    (("-----begin",), re.compile(r"(-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----)(.{1,4000})")),
)
HIDDEN = "•••"
SHORTEST_SECRET = 6
_NAMED = {"\t": "    ", "\n": "⏎", "\r": "␍"}


def clean(text: str | bytes, limit: int = MAX_LENGTH) -> str:
    """One line of foreign text made safe to show: no control sequences, no invisible characters, no secrets, bounded.

    Bytes are decoded as UTF-8, what is broken becomes U+FFFD. Tabs become four spaces, line ends a visible `⏎`, other
    controls a visible picture (NUL is `␀`). Longer text is cut and says how much is missing.
    """
    return hide_secrets(printable(text, limit))


def printable(text: str | bytes, limit: int = MAX_LENGTH) -> str:
    """`clean` without hiding secrets: for values that the operator typed or that are needed as they are."""
    # Length first: nothing below looks at more than what is kept.
    length = len(text)
    kept = text[: limit * 4] if isinstance(text, bytes) else text[: limit * 2]
    decoded = kept.decode("utf-8", "replace") if isinstance(kept, bytes) else kept
    if not decoded.isprintable():
        decoded = _INVISIBLE.sub(_picture, _SEQUENCE.sub("", decoded.rstrip("\r\n")))
    if len(decoded) > limit or length > len(kept):
        decoded = f"{decoded[:limit]}… (+{max(length - limit, 1):,})"
    return decoded


def block(text: str | bytes, lines: int = 200, limit: int = MAX_LENGTH) -> tuple[str, ...]:
    """Foreign text of several lines, each cleaned; past `lines` the rest is dropped and counted in a last line."""
    decoded = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    parts = decoded.split("\n", lines)
    result = [clean(part, limit) for part in parts[:lines]]
    if len(parts) > lines:
        result.append(f"… (+{parts[lines].count(chr(10)) + 1:,} lines)")
    while result and not result[-1]:
        result.pop()
    return tuple(result)


def hide_secrets(text: str) -> str:
    """Replace what looks like a password, token or key by dots. Text is left as it is when nothing looks like one."""
    lowered = text.lower()
    for words, pattern in _SECRETS:
        for word in words:
            if word in lowered:
                text = pattern.sub(_hide, text)
                break
    return text


class Secrets:
    """Secrets that are known literally (configured passwords): wherever they turn up, they are hidden."""

    def __init__(self) -> None:
        self._known: Counter[str] = Counter()

    def add(self, secret: str | None, *, however_short: bool = False) -> None:
        """Remember a secret. Very short ones are not: hiding every "a" would hide the evidence. `however_short` remembers them
        too, and they are hidden where they stand as a word."""
        if secret and (len(secret) >= SHORTEST_SECRET or however_short):
            self._known[secret] += 1

    def forget(self, secret: str) -> None:
        """Take one `add` back."""
        self._known[secret] -= 1
        self._known += Counter()

    def hide(self, text: str) -> str:
        """The text without any known secret and without what looks like one."""
        return hide_secrets(self.hide_known(text))

    def hide_known(self, text: str) -> str:
        """The text without any known secret: for what we wrote ourselves, such as a command to copy."""
        for secret in sorted(self._known, key=len, reverse=True):
            if len(secret) >= SHORTEST_SECRET:
                text = text.replace(secret, HIDDEN)
            else:
                text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", HIDDEN, text)
        return text


def _hide(match: re.Match[str]) -> str:
    return f"{match.group(1)}{HIDDEN}"


def _picture(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if 0x80 <= code <= 0x9F:
        return f"\\x{code:02x}"
    return f"\\u{{{code:x}}}"
