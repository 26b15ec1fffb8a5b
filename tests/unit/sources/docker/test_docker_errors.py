"""Every way in which an engine can fail has its kind, its words and its advice."""

import socket

import pytest

from console.reading import FailureKind
from console.sources.docker.errors import explain, from_status

AT = "unix:///var/run/docker.sock"


@pytest.mark.parametrize(
    ("error", "kind", "advice"),
    [
        (PermissionError(13, "Permission denied"), FailureKind.FORBIDDEN, "group docker"),
        (FileNotFoundError(2, "No such file"), FailureKind.REFUSED, "systemctl status docker"),
        (ConnectionRefusedError(111, "Connection refused"), FailureKind.REFUSED, "systemctl status docker"),
        (socket.gaierror(-2, "Name or service not known"), FailureKind.REFUSED, "host"),
        (TimeoutError(), FailureKind.TIMEOUT, "frozen"),
        (ConnectionResetError(104, "reset"), FailureKind.LOST, "systemctl status docker"),
        (OSError(113, "No route to host"), FailureKind.REFUSED, "systemctl status docker"),
        (ValueError("odd"), FailureKind.GARBAGE, "host"),
    ],
)
def test_an_error_is_found_inside_whatever_wraps_it(error: Exception, kind: FailureKind, advice: str) -> None:
    wrapped = RuntimeError("Connection aborted.", error)
    for outer in (error, wrapped) if kind is not FailureKind.GARBAGE else (error,):
        failure = explain(outer, AT, 2.5).failure
        assert failure.kind is kind
        assert AT in failure.message
        assert advice in failure.advice


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (404, '{"message":"No such container: web"}', FailureKind.MISSING),
        (404, "page not found", FailureKind.UNSUPPORTED),
        (404, '{"message":"No such image: x"}', FailureKind.MISSING),
        (403, '{"message":"authorization denied by plugin"}', FailureKind.FORBIDDEN),
        (409, '{"message":"Container web is not running"}', FailureKind.DECLINED),
        (500, "", FailureKind.DECLINED),
        (400, '{"message":"client version 1.24 is too old"}', FailureKind.UNSUPPORTED),
    ],
)
def test_a_status_has_its_kind_and_the_engines_words_are_harmless(status: int, text: str, kind: FailureKind) -> None:
    failure = from_status(status, text + "\x1b[2J", AT, subject="web\x1b]0;x\x07").failure
    assert failure.kind is kind
    assert str(failure).isprintable()
