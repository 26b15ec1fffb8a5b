"""The trainee's side of a round's folder: reads what the referee tells, writes what the trainee does."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from console.practice.drill.rounds import Entry, Round
from console.practice.drill.seen import Seen, seen_of


class Attending:
    """One round as its trainee attends it. `seen` is what they know; `trouble` says what of their log cannot be written or read.

    A log that cannot be written ends nothing: the round goes on, and the trainee is told that nobody sees what they do.
    """

    def __init__(self, round_: Round, clock: Callable[[], float]) -> None:
        self.round = round_
        self.seen = Seen()
        self.trouble = ""
        self._clock = clock
        self._public = round_.public()
        self._own = round_.trainee()
        self._one_at_a_time = asyncio.Lock()

    async def join(self) -> None:
        """Take up what was done before, if this console was left and comes back, and say that the trainee is here."""
        self.seen = seen_of(await asyncio.to_thread(self._own.entries), self.seen)
        await self.write("joined")

    async def read(self) -> tuple[Entry, ...]:
        """What the referee has told since this was last asked."""
        try:
            news = await asyncio.to_thread(self._public.news)
        except OSError as error:
            self.trouble = f"The round cannot be read ({error.strerror or error})."
            return ()
        self.seen = seen_of(news, self.seen)
        return tuple(news)

    async def deserted(self) -> bool:
        """Whether the referee of a round that has not ended is gone: nobody measures, and nothing is healed yet."""
        return self.seen.known and self.seen.ended_at is None and not await asyncio.to_thread(lambda: self.round.held)

    async def write(self, kind: str, details: Mapping[str, Any] | None = None) -> bool:
        """Append an entry of the trainee's; whether that went well. Entries keep the order in which they were asked for."""
        entry = {name: value for name, value in (details or {}).items() if name not in ("at", "kind")}
        at = self._clock()
        async with self._one_at_a_time:
            try:
                await asyncio.to_thread(self._own.add, kind, at, **entry)
            except OSError as error:
                self.trouble = f"What you do cannot be written down ({error.strerror or error}): the referee does not see it."
                return False
        self.trouble = ""
        self.seen = seen_of([{"at": at, "kind": kind, **entry}], self.seen)
        return True
