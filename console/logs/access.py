"""Requests that services log: who asked for what, with which answer, in how long. Pure.

Three shapes are read: `GET /path 200 12ms request_id=…` as application loggers write it; the common log format of web servers
(httpd.apache.org/docs/2.4/logs.html) and uvicorn's short form of it; and fields, as JSON or as `key=value`. Every pattern is
linear: a log line is foreign text.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.sources.protocols.engine import LogLine

_METHODS = "GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS"
# 172.18.0.1 - ann [22/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 12 "-" "curl", and `172.18.0.1:5342 - "GET /a HTTP/1.1" 200`
_SERVER = re.compile(rf'"(?P<method>{_METHODS}) (?P<path>[^\s"]{{1,2000}})(?: HTTP/[\d.]{{1,4}})?" (?P<status>\d{{3}})\b')
_BEFORE = re.compile(r"(?:^|\s)(?P<client>[0-9a-fA-F.:\[\]]{3,50}) - (?:(?P<user>[^\s\[\"]{1,80}) \[)?")
_PLAIN = re.compile(
    rf"(?:^|[\s\]:])(?P<method>{_METHODS}) (?P<path>/[^\s\"]{{0,2000}}) (?P<status>[1-5]\d\d)\b"
    r"(?: (?P<time>\d{1,9}(?:\.\d{1,6})?) ?(?P<unit>ms|s)\b)?"
)
_FIELD = re.compile(r"(?<![\w.-])([A-Za-z][\w.-]{0,40})=(\"[^\"]{0,300}\"|[^\s,;()]{1,300})")
_TIME = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?(us|µs|ms|s)?")
_UNITS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
_ID = re.compile(r"\d+|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|(?=[a-f]*\d)[0-9a-f]{12,64}")
# "User john_doe (role=engineer) hit rate limit on /api/v1/commands"
_PERSON = re.compile(r"\b[Uu]ser ['\"]?([\w.@+-]{1,80})['\"]? \(role=(\w{1,40})\)")
_ON_PATH = re.compile(r"\b(?:on|at|for|answering (?:GET|POST|PUT|PATCH|DELETE)) (/[^\s\"']{1,300})")

_METHOD = ("method", "http_method", "request_method", "verb")
_PATH = ("path", "uri", "url", "route", "request_path", "request_uri", "endpoint")
_STATUS = ("status", "status_code", "response_status", "statuscode", "code")
_DURATION = ("duration", "elapsed", "latency", "took", "response_time", "process_time", "request_time", "responsetime", "rt")
_IN_SECONDS = ("request_time", "rt")
"""Names under which web servers write bare seconds; another bare number could be anything."""
_CLIENT = ("client", "client_ip", "remote_addr", "client_addr", "remote_ip", "ip")
_USER = ("user", "username", "user_id", "sub")
_ROLE = ("role", "user_role")
_CORRELATION = ("correlation_id", "x_correlation_id", "request_id", "x_request_id", "req_id", "trace_id")


@dataclass(frozen=True, slots=True)
class Request:
    """One answered request. Texts are empty, and the duration None, where the line does not tell. `at`: when it was logged."""

    at: float
    method: str
    path: str
    """Without its query."""
    status: int
    duration_s: float | None = None
    client: str = ""
    user: str = ""
    role: str = ""
    correlation: str = ""

    @property
    def endpoint(self) -> str:
        """Method and path, with `{id}` for what names one thing."""
        return f"{self.method} {route(self.path)}"

    @property
    def who(self) -> str:
        """Who asked, as far as the line tells: the user, else the address."""
        return self.user or self.client


@dataclass(frozen=True, slots=True)
class Told:
    """What a line says about the request that it belongs to, whether or not it is the line of the request itself."""

    status: int | None
    user: str
    role: str
    path: str
    correlation: str


def read_request(line: LogLine) -> Request | None:
    """The request that a line tells of; None when it is another kind of line."""
    fields = _fields(line.text)
    for text in (line.text, fields.get("message", ""), fields.get("msg", ""), fields.get("event", "")):
        if (request := _from_text(text, line.at, fields)) is not None:
            return request
    method, path, status = _first(fields, _METHOD).upper(), _first(fields, _PATH), _first(fields, _STATUS)
    if method not in _METHODS.split("|") or not path or not _is_status(status):
        return None
    return _request(line.at, method, path, int(status), _duration(fields), fields)


def requests(lines: Sequence[LogLine]) -> tuple[Request, ...]:
    """Every request that the lines tell of, in their order."""
    return tuple(request for line in lines if (request := read_request(line)) is not None)


def told(line: LogLine) -> Told:
    """Status, user, role, path and correlation id as far as a line names them."""
    request, fields = read_request(line), _fields(line.text)
    person, on_path = _PERSON.search(line.text), _ON_PATH.search(line.text)
    status = _first(fields, _STATUS)
    path = request.path if request else _first(fields, _PATH) or (on_path.group(1) if on_path else "")
    return Told(
        status=request.status if request else int(status) if _is_status(status) else None,
        user=_first(fields, _USER) or (request.user if request else "") or (person.group(1) if person else ""),
        role=_first(fields, _ROLE) or (person.group(2) if person else ""),
        path=path.partition("?")[0] if path.startswith("/") else "",
        correlation=_first(fields, _CORRELATION),
    )


def correlation_of(line: LogLine) -> str:
    """The id that a line carries to tell which request it belongs to; empty without one."""
    return _first(_fields(line.text), _CORRELATION) if "id" in line.text else ""


def route(path: str) -> str:
    """A path with `{id}` in place of numbers, UUIDs and long hex, so that requests for many things count as one endpoint."""
    return "/".join("{id}" if _ID.fullmatch(part) else part for part in path.split("/"))


def limit_class(path: str, classes: Sequence[str]) -> str:
    """The class of rate limit that a path falls under: the one whose name is a part of it; else `api`, when there is that."""
    parts = path.lower().split("/")
    named = next((name for name in classes if name != "api" and (name in parts or name.rstrip("s") in parts)), "")
    return named or ("api" if "api" in classes else "")


def busiest_minute(found: Sequence[Request]) -> int | None:
    """The most requests of one asker within any 60 seconds; None when there are requests, and no line tells who asked."""
    times: dict[str, list[float]] = {}
    for request in found:
        if request.who:
            times.setdefault(request.who, []).append(request.at)
    most = 0 if times or not found else None
    for moments in times.values():
        moments.sort()
        first = 0
        for last, moment in enumerate(moments):
            while moment - moments[first] >= 60:
                first += 1
            most = max(most or 0, last - first + 1)
    return most


def _from_text(text: str, at: float, fields: Mapping[str, str]) -> Request | None:
    if '" ' in text and (match := _SERVER.search(text)):
        before = _BEFORE.search(text[: match.start()])
        known = dict(fields)
        if before is not None:
            known.setdefault("client", _address(before["client"]))
            if before["user"] and before["user"] != "-":
                known.setdefault("user", before["user"])
        return _request(at, match["method"], match["path"], int(match["status"]), _duration(fields), known)
    if match := _PLAIN.search(text):
        spent = float(match["time"]) * _UNITS[match["unit"]] if match["time"] else _duration(fields)
        return _request(at, match["method"], match["path"], int(match["status"]), spent, fields)
    return None


def _request(at: float, method: str, path: str, status: int, duration_s: float | None, fields: Mapping[str, str]) -> Request:
    return Request(
        at=at,
        method=method,
        path=path.partition("?")[0],
        status=status,
        duration_s=duration_s,
        client=_address(_first(fields, _CLIENT)),
        user=_first(fields, _USER),
        role=_first(fields, _ROLE),
        correlation=_first(fields, _CORRELATION),
    )


def _fields(text: str) -> dict[str, str]:
    """The fields of a line by their names in small letters, of JSON one level deep."""
    start = text.find("{")
    if start >= 0 and text.endswith("}") and '":' in text:
        try:
            value = json.loads(text[start:])
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            inner = {key: item for part in value.values() if isinstance(part, dict) for key, item in part.items()}
            return {_key(str(key)): _text(item) for key, item in (inner | value).items() if not isinstance(item, dict | list)}
    return {_key(name): value.strip('"') for name, value in _FIELD.findall(text)} if "=" in text else {}


def _key(name: str) -> str:
    return name.lower().replace("-", "_")


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _first(fields: Mapping[str, str], names: Sequence[str]) -> str:
    return next((fields[name] for name in names if fields.get(name) and fields[name] != "-"), "")


def _duration(fields: Mapping[str, str]) -> float | None:
    for name in _DURATION:
        for key, unit in ((f"{name}_ms", "ms"), (f"{name}_s", "s"), (f"{name}_seconds", "s"), (name, "")):
            match = _TIME.fullmatch(fields.get(key, ""))
            if match is None:
                continue
            unit = match[2] or unit or ("s" if name in _IN_SECONDS else "")
            if unit:
                return float(match[1]) * _UNITS[unit]
    return None


def _is_status(text: str) -> bool:
    return len(text) == 3 and text.isdecimal() and "1" <= text[0] <= "5"


def _address(text: str) -> str:
    """A client's address without its port, which differs for every connection."""
    host, colon, port = text.rpartition(":")
    return host.strip("[]") if colon and port.isdecimal() and (":" not in host or host.endswith("]")) else text.strip("[]")
