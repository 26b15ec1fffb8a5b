"""ssh:// hosts: one ssh process carries the remote engine's socket here, and everything else speaks to a unix socket.

The docker package's own way starts an ssh process and a login for every request and cannot end its streams (docker-py#2966,
and its CancellableStream refuses ssh).
"""

import contextlib
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from console.reading import FailureKind, SourceError
from console.text import block, clean

REMOTE_SOCKET = "/var/run/docker.sock"
LOGIN_S = 10.0


class Tunnel:
    """`url` is ssh://[user@]host[:port]. Methods block: they are for a worker's thread."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._ssh: subprocess.Popen[bytes] | None = None
        self._closed = False

    def open(self) -> str:
        """The path of the local socket; begins the tunnel when there is none or it broke. Raises SourceError."""
        with self._lock:
            if self._ssh is not None and self._ssh.poll() is None and self._socket().exists():
                return str(self._socket())
            self._stop()
            self._start()
            return str(self._socket())

    def close(self) -> None:
        """End the ssh process and whoever waits for it."""
        self._closed = True
        ssh = self._ssh
        if ssh is not None:
            ssh.kill()
        with self._lock:
            self._stop()

    def _start(self) -> None:
        parts = urlsplit(self._url)
        host = parts.hostname or ""
        if not host or host.startswith("-") or (parts.username or "").startswith("-"):
            raise SourceError(
                FailureKind.NOT_CONFIGURED, f"{clean(self._url, 200)} names no host.", "ssh://user@host:port is meant."
            )
        self._folder = Path(tempfile.mkdtemp(prefix="triage-ssh-"))
        options = {
            # Nobody can type a password: the terminal belongs to the console.
            "BatchMode": "yes",
            "ExitOnForwardFailure": "yes",
            "ConnectTimeout": f"{LOGIN_S:.0f}",
            "ServerAliveInterval": "5",
            "ServerAliveCountMax": "2",
        }
        command = ["ssh", "-N", "-T", "-L", f"{self._socket()}:{REMOTE_SOCKET}"]
        command += [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        command += ["-p", str(parts.port)] if parts.port else []
        command += ["--", f"{parts.username}@{host}" if parts.username else host]
        try:
            self._ssh = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
            )
        except FileNotFoundError:
            self._stop()
            raise SourceError(FailureKind.NOT_CONFIGURED, "There is no ssh on this machine.", "Install openssh-client.") from None
        self._wait(self._ssh)

    def _wait(self, ssh: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + LOGIN_S
        while not self._socket().exists():
            if self._closed or ssh.poll() is not None or time.monotonic() > until:
                ssh.kill()
                said = ssh.communicate()[1] or b""
                self._stop()
                raise self._refused(" ".join(block(said, 5)) or f"no answer within {LOGIN_S:g} s")
            time.sleep(0.02)

    def _refused(self, why: str) -> SourceError:
        login = "Permission denied" in why or "Host key verification failed" in why
        host = clean(self._url, 200).removeprefix("ssh://")
        return SourceError(
            FailureKind.LOGIN if login else FailureKind.REFUSED,
            f"ssh to {host} failed: {why}",
            f"Try `ssh {host} docker version`: it must work without a question, so with an agent or a key and a known host.",
        )

    def _stop(self) -> None:
        if self._ssh is not None:
            self._ssh.kill()
            with contextlib.suppress(OSError, ValueError):
                self._ssh.communicate()
            self._ssh = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _socket(self) -> Path:
        return (self._folder or Path()) / "docker.sock"
