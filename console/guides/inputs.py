"""What an issue asks a person for: the kinds of inputs, the form of each, and how values come into parameters.

Under `with:` a value may be exactly `$email`, or hold `${student_id}` inside. Parameters are validated when the issue is loaded,
with a sample in place of each input, and bound and validated again when the check or change is made.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from console.reading import Failure, FailureKind, SourceError
from console.text import clean

NAME = r"[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*"
Value = str | int | float

_ECHOED = 40
_WHOLE = re.compile(rf"\$({NAME})")
_INSIDE = re.compile(r"\$\{([^{}]*)\}")


class Kind(StrEnum):
    EMAIL = "email"
    NUMBER = "number"
    WORD = "word"
    TEXT = "text"
    FOLDER = "folder"
    URL = "url"
    HOST = "host"
    CORRELATION_ID = "correlation-id"
    TOKEN = "token"  # noqa: S105 - a kind, not a secret
    PASSWORD = "password"  # noqa: S105

    @property
    def secret(self) -> bool:
        """Never shown, never written down, and forgotten with the walk."""
        return self in (Kind.TOKEN, Kind.PASSWORD)

    @property
    def fits_inside(self) -> bool:
        """Whether it may stand within a longer text, as in `grades:${student_id}`."""
        return self in (Kind.NUMBER, Kind.WORD, Kind.CORRELATION_ID, Kind.EMAIL, Kind.HOST)

    @property
    def form(self) -> str:
        """What is wanted, in words."""
        return _FORMS[self].words


@dataclass(frozen=True, slots=True)
class Input:
    """One thing that a person must give."""

    name: str
    kind: Kind
    title: str

    def read(self, text: str) -> Value:
        """The value of what was typed. Raises ValueError, saying what form is wanted, and of a secret nothing else."""
        form = _FORMS[self.kind]
        if len(text) <= form.most:
            typed = text if self.kind is Kind.PASSWORD else text.strip()
            value = form.read(typed) if typed.isprintable() else None
            if value is not None:
                return value
        found = "" if self.kind.secret else f", not {clean(text, _ECHOED)!r}" if text else ", and nothing was given"
        raise ValueError(f"{self.name} must be {form.words}{found}")

    def fits(self, text: str) -> bool:
        """Whether `read` takes it."""
        try:
            self.read(text)
        except ValueError:
            return False
        return True

    @property
    def sample(self) -> Value:
        """A value of the right form that stands for the one that is not known yet."""
        return _FORMS[self.kind].sample(self.name.replace("_", "-"))


def not_given(name: str) -> Failure:
    """Why something that needs an input cannot be made."""
    return Failure(FailureKind.NOT_CONFIGURED, f"The input {name} was not given.", f"--input {name}=…")


@dataclass(frozen=True, slots=True)
class Use:
    """A place in raw parameters that names an input: the path to the value, and the character at which it stands there."""

    path: tuple[str | int, ...]
    name: str
    at: int
    inside: bool


def uses(raw: object, path: tuple[str | int, ...] = ()) -> Iterator[Use]:
    """Every place of raw parameters that names an input."""
    if isinstance(raw, str):
        if whole := _WHOLE.fullmatch(raw):
            yield Use(path, whole.group(1), 0, inside=False)
        else:
            yield from (Use(path, match.group(1), match.start(), inside=True) for match in _INSIDE.finditer(raw))
    elif isinstance(raw, Mapping):
        for key, value in raw.items():
            yield from uses(value, (*path, key))
    elif isinstance(raw, tuple | list):
        for index, value in enumerate(raw):
            yield from uses(value, (*path, index))


def filled(raw: Any, values: Mapping[str, Value]) -> Any:
    """Raw parameters with values in place of their inputs; a whole `$name` keeps the value's type."""
    if isinstance(raw, str):
        if whole := _WHOLE.fullmatch(raw):
            return values[whole.group(1)]
        return _INSIDE.sub(lambda match: str(values[match.group(1)]), raw)
    if isinstance(raw, Mapping):
        return {key: filled(value, values) for key, value in raw.items()}
    if isinstance(raw, tuple | list):
        return tuple(filled(value, values) for value in raw)
    return raw


@dataclass(frozen=True, slots=True)
class Template:
    """Parameters that hold inputs."""

    model: type[BaseModel]
    raw: Mapping[str, Any]
    inputs: tuple[Input, ...]
    """Those that it needs."""

    def bound(self, values: Mapping[str, Value]) -> BaseModel:
        """The parameters with these values. Raises SourceError when one is missing, or is not what the parameter takes."""
        for item in self.inputs:
            if item.name not in values:
                failure = not_given(item.name)
                raise SourceError(failure.kind, failure.message, failure.advice)
        try:
            return self.model.model_validate(filled(self.raw, values))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place, why = ".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")
            named = ", ".join(item.name for item in self.inputs)
            message = f"What was given for {named} does not fit {place}: {clean(why, 200)}."
            raise SourceError(FailureKind.NOT_CONFIGURED, message, "Give another value.") from None

    def placeholder(self, values: Mapping[str, Value]) -> BaseModel:
        """The parameters with samples for secrets and for what is not given: only to tell what would be asked."""
        known = {item.name: item.sample for item in self.inputs}
        known |= {item.name: values[item.name] for item in self.inputs if item.name in values and not item.kind.secret}
        return self.model.model_validate(filled(self.raw, known))

    def without_samples(self, text: str, values: Mapping[str, Value]) -> str:
        """A text made from `placeholder`, with `$name` where a sample stands."""
        for item in self.inputs:
            if item.kind.secret or item.name not in values:
                text = re.sub(rf"(?<![\w]){re.escape(str(item.sample))}(?![\w])", f"${item.name}", text)
        return text


# -- forms ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Form:
    words: str
    most: int
    """Characters beyond which nothing is even looked at."""
    read: Callable[[str], Value | None]
    sample: Callable[[str], Value]


def _matching(pattern: str) -> Callable[[str], str | None]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda text: text if compiled.fullmatch(text) else None


def _number(text: str) -> int | float | None:
    if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,6})?", text):
        return None
    return float(text) if "." in text else int(text)


def _folder(text: str) -> str | None:
    return text if text.startswith("/") and ".." not in text.split("/") else None


_label = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_DOMAIN = rf"{_label}(?:\.{_label}){{0,20}}"
_is_name = _matching(rf"{_DOMAIN}\.?")


def _host(text: str) -> str | None:
    if "%" in text:
        return None
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        # What has only digits and dots was meant as an address.
        return None if re.fullmatch(r"[0-9.]+", text) else _is_name(text)


def _url(text: str) -> str | None:
    if not text.isascii() or re.search(r"[\s<>\"'`\\{}|^]", text):
        return None
    try:
        parts = urlsplit(text)
        well = parts.scheme in ("http", "https") and parts.port != 0 and _host(parts.hostname or "") is not None
    except ValueError:
        return None
    return text if well and parts.username is None else None


def _token(text: str) -> str | None:
    return _jwt(text.removeprefix("Bearer ").strip())


_jwt = _matching(r"[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*")

_FORMS: Mapping[Kind, _Form] = {
    Kind.EMAIL: _Form(
        "an e-mail address such as name@example.org",
        254,
        _matching(rf"[A-Za-z0-9_%+'-](?:[A-Za-z0-9._%+'-]{{0,62}}[A-Za-z0-9_%+'-])?@{_DOMAIN}"),
        lambda name: f"{name}@sample.invalid",
    ),
    Kind.NUMBER: _Form("a number such as 42", 30, _number, lambda name: 40_000 + sum(map(ord, name)) % 9_999),
    Kind.WORD: _Form(
        "one word of letters, digits, dots, hyphens and underscores",
        100,
        _matching(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}"),
        lambda name: f"sample-{name}",
    ),
    Kind.TEXT: _Form("one line of at most 200 characters", 200, lambda text: text or None, lambda name: f"sample {name}"),
    Kind.FOLDER: _Form("a folder's whole path, such as /opt/service, without ..", 500, _folder, lambda name: f"/sample-{name}"),
    Kind.URL: _Form(
        "an address such as https://example.org/page, without a password in it",
        2_000,
        _url,
        lambda name: f"https://{name}.sample.invalid/",
    ),
    Kind.HOST: _Form("a host's name or IP address", 253, _host, lambda name: f"{name}.sample.invalid"),
    Kind.CORRELATION_ID: _Form(
        "a correlation id: 4 to 128 letters, digits, hyphens, dots, colons and underscores",
        128,
        _matching(r"[A-Za-z0-9][A-Za-z0-9._:-]{3,127}"),
        lambda name: f"sample-{name}",
    ),
    Kind.TOKEN: _Form(
        "a token of three parts with dots between them, of at most 16 KiB", 16 * 1024, _token, lambda name: f"sample.{name:-<4}."
    ),
    Kind.PASSWORD: _Form("a password of 1 to 200 characters", 200, lambda text: text or None, lambda name: f"sample-{name}"),
}
