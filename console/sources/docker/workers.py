"""A few daemon threads, each with a client of its own: the docker package blocks, and its client is made for one thread.

A question that is out of time or no longer wanted is broken off at its socket, so that a frozen engine costs no thread.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from console.reading import FailureKind, SourceError
from console.sources.docker.address import Address
from console.sources.docker.errors import explain, timed_out

if TYPE_CHECKING:
    from console.sources.docker.client import Client

T = TypeVar("T")

THREADS = 6
"""Slow actions (a stop waits ten seconds) must leave room for the questions of the panes."""


@dataclass(slots=True)
class _Job:
    question: Callable[["Client"], Any]
    limit_s: float
    answer: "asyncio.Future[Any]"
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _client: "Client | None" = None
    _given_up: bool = False

    def works_on(self, client: "Client | None") -> bool:
        """Tell which client is busy with this job; False when the job is no longer wanted."""
        with self._lock:
            self._client = client
            return not self._given_up

    def give_up(self) -> None:
        """Break off the job, and never a later one of the same client."""
        with self._lock:
            self._given_up = True
            if self._client is not None:
                self._client.interrupt()


class Workers:
    """Runs questions on clients of the engine that `locate` finds (asked in a thread); messages call it what `shown` says."""

    def __init__(self, locate: Callable[[], Address], shown: Callable[[], str]) -> None:
        self._locate = locate
        self._shown = shown
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads: dict[threading.Thread, asyncio.Event] = {}
        self._under_way: dict[int, _Job] = {}
        self._closed = False

    async def ask(self, question: Callable[["Client"], T], *, limit_s: float, subject: str = "") -> T:
        """The answer to a question within `limit_s` seconds; `subject` is the container that messages name.

        Raises SourceError and nothing else.
        """
        if self._closed:
            raise SourceError(FailureKind.LOST, "The connection to the container engine was closed.")
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        job = _Job(question, limit_s, answer)
        self._under_way[id(job)] = job
        if len(self._under_way) > len(self._threads) < THREADS:
            self._start_thread()
        self._jobs.put(job)
        try:
            async with asyncio.timeout(limit_s):
                return await answer
        except TimeoutError:
            raise timed_out(self._shown(), limit_s) from None
        except SourceError:
            raise
        except Exception as error:
            raise explain(error, self._shown(), limit_s, subject) from None
        finally:
            self._under_way.pop(id(job), None)
            if not answer.done() or answer.cancelled():
                job.give_up()

    async def aclose(self) -> None:
        """End every thread, also those that wait for a frozen engine."""
        self._closed = True
        for job in list(self._under_way.values()):
            job.give_up()
        for _ in self._threads:
            self._jobs.put(None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.9):
                for ended in self._threads.values():
                    await ended.wait()
        for thread in self._threads:
            thread.join(0.01)

    def _start_thread(self) -> None:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        thread = threading.Thread(target=self._work, args=(loop, ended), name=f"docker-{len(self._threads)}", daemon=True)
        self._threads[thread] = ended
        thread.start()

    def _work(self, loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
        client: Client | None = None
        while (job := self._jobs.get()) is not None:
            try:
                if not job.works_on(client):
                    continue
                if client is None:
                    from console.sources.docker.client import connect

                    client = connect(self._locate(), announce=job.works_on)
                    job.works_on(client)
                client.limit_s = job.limit_s
                result = job.question(client)
            except Exception as error:
                job.works_on(None)
                # The next engine behind this address may speak another version: begin anew.
                if client is not None and getattr(error, "status_code", None) is None:
                    client.close()
                    client = None
                _deliver(job, error=error)
            else:
                job.works_on(None)
                _deliver(job, result=result)
        if client is not None:
            client.close()
        _tell(loop, ended.set)


def _deliver(job: _Job, *, result: Any = None, error: Exception | None = None) -> None:
    def settle() -> None:
        if not job.answer.done():
            if error is not None:
                job.answer.set_exception(error)
            else:
                job.answer.set_result(result)

    _tell(job.answer.get_loop(), settle)


def _tell(loop: asyncio.AbstractEventLoop, what: Callable[[], object]) -> None:
    # The loop may be gone: the program ended while the engine made us wait.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(what)
