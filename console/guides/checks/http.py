"""What web servers answer: one address, several links at once, a login, a WebSocket's handshake."""

import asyncio
import shlex
from collections.abc import Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from console.config import SystemConfig
from console.guides.checks.check import Check, Fact, Facts, FactType, Findings
from console.guides.checks.json_fields import FieldType, read_fields
from console.guides.checks.targets import UrlParameters, shown_url, url_of
from console.guides.checks.words import listed, number
from console.guides.parameters import Parameters
from console.guides.readings import Readings
from console.reading import FailureKind, SourceError
from console.sources.protocols.network import NO_ANSWER, HttpAnswer
from console.text import HIDDEN, clean

LIMIT_S = 2.2
"""Within a step's three seconds, so that "no answer" is told as what it is."""
SLOW_S = 1.0
_SHOWN_HEADERS = ("location", "content-type", "retry-after", "www-authenticate", "access-control-allow-origin", "server", "date")
_SHOWN_LINES = 6
_TYPES: Mapping[str, tuple[str, ...]] = {
    ".css": ("css",),
    ".gif": ("image/",),
    ".html": ("html",),
    ".ico": ("image/",),
    ".jpeg": ("image/",),
    ".jpg": ("image/",),
    ".js": ("javascript",),
    ".json": ("json",),
    ".mp4": ("video/",),
    ".pdf": ("pdf",),
    ".png": ("image/",),
    ".svg": ("svg",),
    ".webp": ("image/",),
    ".woff": ("font", "octet-stream"),
    ".woff2": ("font", "octet-stream"),
}
"""What the content type of a file with this ending holds."""
_FACTS = (
    Fact("answered", FactType.BOOL, "there was an answer, whatever its status"),
    Fact("status", FactType.NUMBER, "of the answer; unknown without one"),
    Fact("reason", FactType.TEXT, "why there was no answer, empty when there was one", choices=NO_ANSWER),
    Fact("elapsed_ms", FactType.NUMBER, "until the answer, or until it was given up", "ms"),
    Fact("content_type", FactType.TEXT, "of the answer, without its parameters"),
    Fact("contains", FactType.BOOL, "the body holds the text of the parameter"),
)


def _own(fields: Mapping[str, tuple[str, FieldType]]) -> Mapping[str, tuple[str, FieldType]]:
    taken = [fact.name for fact in _FACTS if fact.name in fields]
    if taken:
        raise ValueError(f"{', '.join(taken)} is a fact of every answer: choose another name")
    return fields


Fields = Annotated[Mapping[str, tuple[str, FieldType]], AfterValidator(_own)]


class GetParameters(UrlParameters):
    method: Literal["GET", "HEAD"] = "GET"
    headers: Mapping[str, str] = Field(default_factory=dict, repr=False)
    contains: str = ""
    """A text that the body must hold."""
    fields: Fields = Field(default_factory=dict, json_schema_extra={"bind": False})
    """Facts that are read from a JSON body: name → [dotted path, bool | number | text]."""


class PostParameters(Parameters):
    endpoint: str = Field(min_length=1)
    """Only one that logs somebody in: it may count against a limit, and changes nothing else."""
    json_: Mapping[str, str | int | float] = Field(alias="json", min_length=1, repr=False)
    contains: str = ""
    fields: Fields = Field(default_factory=dict, json_schema_extra={"bind": False})

    @property
    def target(self) -> UrlParameters:
        return UrlParameters(endpoint=self.endpoint)


class LinksParameters(Parameters):
    links: tuple[str, ...] = ()
    prefix: str = ""
    """Those whose name begins so. Neither: all links."""


class HandshakeParameters(Parameters):
    endpoint: str = Field(min_length=1)
    origin: str = ""
    """The page's address that a browser would name."""
    origin_of: str = ""
    """Or the endpoint that serves the page."""

    @model_validator(mode="after")
    def _one_of(self) -> "HandshakeParameters":
        if self.origin and self.origin_of:
            raise ValueError("needs either origin or origin_of")
        return self

    @property
    def target(self) -> UrlParameters:
        return UrlParameters(endpoint=self.endpoint)


async def _get(readings: Readings, parameters: GetParameters) -> Findings:
    url, headers = url_of(readings.system.config, parameters), dict(parameters.headers)
    network = readings.system.need_network()
    key = ("http", parameters.method, url, tuple(sorted(headers.items())))
    ask = partial(network.http, url, method=parameters.method, headers=headers, timeout_s=LIMIT_S)
    return _findings(await readings.share(key, ask), parameters.contains, parameters.fields, tuple(headers.values()))


async def _post(readings: Readings, parameters: PostParameters) -> Findings:
    url = url_of(readings.system.config, parameters.target)
    body = {name: str(value) for name, value in parameters.json_.items()}
    # Not shared: each is an attempt, and its key would hold the password.
    answer = await readings.system.need_network().http(url, method="POST", json=body, timeout_s=LIMIT_S)
    return _findings(answer, parameters.contains, parameters.fields, tuple(body.values()))


def _findings(answer: HttpAnswer, contains: str, fields: Mapping[str, tuple[str, FieldType]], given: tuple[str, ...]) -> Findings:
    """The facts of an answer. What was `given` (passwords, tokens) is not shown should the server repeat it."""
    values, unread = read_fields(answer, fields)
    hide = partial(_without, given)
    facts: Facts = {
        **{name: hide(value) if isinstance(value, str) else value for name, value in values.items()},
        "answered": answer.status is not None,
        "status": answer.status,
        "reason": answer.reason,
        "elapsed_ms": round(answer.elapsed_s * 1000, 1),
        "content_type": content_type(answer) if answer.status is not None else None,
        "contains": contains in answer.body if contains and answer.status is not None else None,
    }
    lines = [f"{name}: {answer.headers[name]}" for name in _SHOWN_HEADERS if name in answer.headers]
    lines += [line[:300] for line in answer.body.splitlines()[:_SHOWN_LINES] if line.strip()]
    return Findings(facts, told(answer), tuple(map(hide, lines)), unread)


def told(answer: HttpAnswer) -> str:
    """What came of asking, in one sentence."""
    if answer.status is None:
        return f"{answer.url} gives no answer ({answer.reason}): {answer.message.rstrip('.')}."
    return f"{answer.url} answers {answer.status} after {answer.elapsed_s * 1000:.0f} ms."


def content_type(answer: HttpAnswer) -> str:
    return answer.headers.get("content-type", "").partition(";")[0].strip().lower()


def wrong_type(url: str, answer: HttpAnswer) -> bool:
    """Whether a file came as something else: a page instead of the script means that the server did not find it."""
    wanted = _TYPES.get(PurePosixPath(urlsplit(url).path).suffix.lower(), ())
    found = content_type(answer)
    return bool(wanted) and answer.status == 200 and not any(part in found for part in wanted)


async def _links(readings: Readings, parameters: LinksParameters) -> Findings:
    config, network = readings.system.config, readings.system.need_network()
    urls = {name: config.links[name] for name in link_names(config, parameters)}

    if not urls:
        raise SourceError(
            FailureKind.NOT_CONFIGURED, "No links are configured.", f"Set them under [systems.{config.name}.links]."
        )
    answers = await asyncio.gather(
        *(readings.share(("http", "GET", url, ()), partial(network.http, url, timeout_s=LIMIT_S)) for url in urls.values())
    )
    by_name = dict(zip(urls, answers, strict=True))
    broken = [name for name, item in by_name.items() if item.status is None or item.status >= 400]
    wrong = [name for name, item in by_name.items() if wrong_type(urls[name], item)]
    facts: Facts = {
        "broken": len(broken),
        "not_found": sum(1 for item in answers if item.status in (404, 410)),
        "no_answer": sum(1 for item in answers if item.status is None),
        "moved": sum(1 for item in answers if item.status is not None and 300 <= item.status < 400),
        "wrong_type": len(wrong),
        "slow": sum(1 for item in answers if item.elapsed_s > SLOW_S),
    }
    bad = [*broken, *wrong]
    headline = f"{number(len(bad), 'link')} of {len(urls)} fail: {listed(bad)}." if bad else f"All {len(urls)} links answer."
    evidence = tuple(f"{name}: {told(by_name[name])}{_type_note(name, wrong, by_name[name])}" for name in by_name)
    return Findings(facts, headline, evidence)


def link_names(config: SystemConfig, parameters: LinksParameters) -> tuple[str, ...]:
    """The links that are asked; raises NOT_CONFIGURED when one that is named is not there."""
    absent = [name for name in parameters.links if name not in config.links]
    if absent:
        message = f"The links {clean(listed(absent), 200)} are not configured."
        raise SourceError(FailureKind.NOT_CONFIGURED, message, f"Set them under [systems.{config.name}.links] in config.toml.")
    return parameters.links or tuple(name for name in config.links if name.startswith(parameters.prefix))


def _type_note(name: str, wrong: list[str], answer: HttpAnswer) -> str:
    return f" It came as {content_type(answer) or 'no type'}." if name in wrong else ""


async def _handshake(readings: Readings, parameters: HandshakeParameters) -> Findings:
    url = url_of(readings.system.config, parameters.target)
    origin = parameters.origin
    if parameters.origin_of:
        origin = origin_of(url_of(readings.system.config, UrlParameters(endpoint=parameters.origin_of)))
    ask = partial(readings.system.need_network().handshake, url, origin=origin, timeout_s=LIMIT_S)
    answer = await readings.share(("handshake", url, origin), ask)
    upgraded = answer.status == 101
    facts: Facts = {
        "answered": answer.status is not None,
        "upgraded": upgraded,
        "status": answer.status,
        "reason": answer.reason,
    }
    headline = f"{answer.url} agrees to a WebSocket." if upgraded else told(answer)
    lines = [f"asked as a page of {clean(origin)}" if origin else "asked without an origin"]
    lines += [f"{name}: {answer.headers[name]}" for name in (*_SHOWN_HEADERS, "upgrade") if name in answer.headers]
    return Findings(facts, headline, (*lines, *answer.body.splitlines()[:_SHOWN_LINES]))


def origin_of(url: str) -> str:
    """The origin that a browser names for a page (RFC 6454): scheme, host and port. What is no address stays as it is."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else url


def _without(given: tuple[str, ...], text: str) -> str:
    for value in sorted(given, key=len, reverse=True):
        if len(value) >= 3:
            text = text.replace(value, HIDDEN)
    return text


def _curl_get(config: SystemConfig, parameters: GetParameters) -> str:
    words = ["curl", "-sS", "-I" if parameters.method == "HEAD" else "-i", "--max-time", "3"]
    for name in parameters.headers:
        words += ["-H", shlex.quote(f"{clean(name)}: …")]
    return " ".join([*words, shlex.quote(shown_url(config, parameters))])


def _curl_post(config: SystemConfig, parameters: PostParameters) -> str:
    fields = ", ".join(f'"{clean(name)}": "…"' for name in parameters.json_)
    body = shlex.quote(f"{{{fields}}}")
    where = shlex.quote(shown_url(config, parameters.target))
    return f"curl -sS -i -X POST -H 'Content-Type: application/json' -d {body} {where}  # one login attempt"


def _curl_links(config: SystemConfig, parameters: LinksParameters) -> str:
    try:
        urls = [config.links[name] for name in link_names(config, parameters)]
    except SourceError:
        urls = []
    what = " ".join(shlex.quote(clean(url)) for url in urls) or "<no links configured>"
    shown = "%{http_code} %{content_type} %{time_total} %{url}\\n"
    return f"for url in {what}; do curl -sS -o /dev/null -w '{shown}' $url; done"


def _curl_handshake(config: SystemConfig, parameters: HandshakeParameters) -> str:
    url = shown_url(config, parameters.target)
    words = ["curl -sS -i -N --http1.1 --max-time 3 -H 'Connection: Upgrade' -H 'Upgrade: websocket'"]
    words += ["-H 'Sec-WebSocket-Version: 13' -H \"Sec-WebSocket-Key: $(openssl rand -base64 16)\""]
    origin = parameters.origin
    if parameters.origin_of:
        origin = origin_of(shown_url(config, UrlParameters(endpoint=parameters.origin_of)))
    if origin:
        words.append("-H " + shlex.quote(f"Origin: {clean(origin)}"))
    return " ".join([*words, shlex.quote(url.replace("ws", "http", 1) if url.startswith("ws") else url)])


def _declared(parameters: GetParameters | PostParameters) -> tuple[Fact, ...]:
    own = tuple(Fact(name, FactType(kind), f"{path} of the answer") for name, (path, kind) in parameters.fields.items())
    return (*_FACTS, *own)


CHECKS = (
    Check(
        name="http.get",
        title="What does an address answer?",
        parameters=GetParameters,
        facts=_FACTS,
        facts_for=_declared,
        command=_curl_get,
        make=_get,
    ),
    Check(
        name="http.post",
        title="Does a login work?",
        parameters=PostParameters,
        facts=_FACTS,
        facts_for=_declared,
        command=_curl_post,
        make=_post,
        ahead=False,
    ),
    Check(
        name="http.links",
        title="Do the links lead anywhere?",
        parameters=LinksParameters,
        facts=(
            Fact("broken", FactType.NUMBER, "links without an answer, or with an error"),
            Fact("not_found", FactType.NUMBER, "links that answer 404 or 410"),
            Fact("no_answer", FactType.NUMBER, "links without any answer"),
            Fact("moved", FactType.NUMBER, "links that point elsewhere"),
            Fact("wrong_type", FactType.NUMBER, "files that came as something else than their ending says"),
            Fact("slow", FactType.NUMBER, "links that took more than a second"),
        ),
        command=_curl_links,
        make=_links,
        ahead=False,
    ),
    Check(
        name="http.handshake",
        title="Does the service agree to a WebSocket?",
        parameters=HandshakeParameters,
        facts=(
            _FACTS[0],
            Fact("upgraded", FactType.BOOL, "the answer was 101"),
            _FACTS[1],
            _FACTS[2],
        ),
        command=_curl_handshake,
        make=_handshake,
    ),
)
