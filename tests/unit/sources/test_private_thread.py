import asyncio
import threading

import pytest

from console.sources.private_thread import PrivateThread


async def test_calls_run_in_one_daemon_thread_one_after_the_other() -> None:
    thread = PrivateThread("test")
    threads = [await thread.run(threading.current_thread, timeout_s=1) for _ in range(2)]
    assert threads[0] is threads[1]
    assert threads[0].daemon
    thread.stop()
    threads[0].join(1)
    assert not threads[0].is_alive()


async def test_an_exception_of_the_call_reaches_the_caller() -> None:
    thread = PrivateThread("test")
    with pytest.raises(ZeroDivisionError):
        await thread.run(lambda: 1 / 0, timeout_s=1)
    thread.stop()


async def test_a_call_that_hangs_is_left_and_those_that_gave_up_waiting_are_never_begun() -> None:
    thread = PrivateThread("test")
    mended = threading.Event()
    begun: list[str] = []
    for call in (lambda: mended.wait(5), lambda: begun.append("late")):
        with pytest.raises(TimeoutError):
            await thread.run(call, timeout_s=0.05)
    mended.set()
    assert await thread.run(lambda: "again", timeout_s=1) == "again"
    assert begun == []
    thread.stop()


async def test_a_cancelled_question_is_cancelled_at_once() -> None:
    thread = PrivateThread("test")
    mended = threading.Event()
    asking = asyncio.create_task(thread.run(lambda: mended.wait(5), timeout_s=5))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    mended.set()
    thread.stop()
