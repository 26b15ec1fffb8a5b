"""The simulated backend: how it answers requests, with the pool and the cache that its process has, and how it fails."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from console.practice.simulated.behaviour import Behaviour, Complaint, Outcome
from console.practice.simulated.limits import RateLimits
from console.practice.simulated.process import RETRY_S, THREADS, Process
from console.practice.simulated.traffic import Arrival, Client, Endpoint
from console.practice.simulated.workload import tables_of

POOL_TIMEOUT_S = 4.0
HOLD_S = 0.05
"""How long a request keeps a connection."""
PATIENCE_S = 30.0
"""How long a request waits for a lock."""
STATEMENT_SHARE = 0.6
"""Of a request's time; the rest is the service's own."""
SLOW_S = 1.0
"""From here on a service that correlates its lines complains of a slow request."""
EACH_CALL_S = 0.004
"""What each further statement of a request costs."""
CORE_PER_S = 62.0
"""So many requests a second take the whole of the one core that the process can use."""
CPU_OF_A_CORE = 40.0
"""Each so many percent of one core that are lost make everything slower by its usual time once more."""


@dataclass(slots=True)
class Backend(Process):
    """The service: a process that answers requests."""

    limits: RateLimits = field(default_factory=RateLimits)
    users: Mapping[str, Client] = field(default_factory=dict)
    """Who is logged in at which address."""
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    """By path. They belong to the running code: a restart keeps all but those that are the process's own."""
    _computing_until: float = 0.0
    _traceback_at: float = 0.0
    _cache_missed_at: float = 0.0
    _trace: random.Random = field(default_factory=lambda: random.Random(21))  # noqa: S311 - a practice world
    _fails: random.Random = field(default_factory=lambda: random.Random(20))  # noqa: S311 - a practice world

    def start(self, now: float) -> None:
        Process.start(self, now)
        self.behaviours = {path: item for path, item in self.behaviours.items() if not item.until_restart}

    def answer(self, arrivals: list[Arrival], now: float, elapsed_s: float) -> list[Outcome]:
        """Take in requests and give back those that are answered by now, in the order of their answers."""
        outcomes = []
        slowness = self.slowness(now) * (1 + self.cpu_percent / CPU_OF_A_CORE) * crowding(len(arrivals) / elapsed_s)
        cache_error = self.cache_error()
        if cache_error is not None and now >= self._cache_missed_at:
            self._cache_missed_at = now + RETRY_S
            self.say(now, "WARNING", "cache", f"Cache read failed: {cache_error}")
        elif cache_error is None and now >= self._cache_missed_at and self.cache.refuses_writes(now):
            self._cache_missed_at = now + RETRY_S
            refused = "OOM command not allowed when used memory > 'maxmemory'."
            self.say(now, "WARNING", "cache", f"Cache write failed: {refused}")
        for arrival in arrivals:
            at, endpoint, client = arrival.at, arrival.endpoint, arrival.client
            if endpoint.limit and not self.limits.allows(client, endpoint.limit, at, self.role_at(client)):
                outcomes.append(self._done(arrival, 429, 0.001, self._limited(arrival)))
            elif endpoint.cached and cache_error is None and self._cacheable(endpoint.path) and self.cache.lookup(now):
                wait_s = self.chance.uniform(0.4, 2.4) if len(self._queue) >= THREADS else 0.0
                outcomes.append(self._done(arrival, 200, wait_s + self.cache.slow_s + self.chance.lognormvariate(-5.6, 0.4)))
            else:
                self._queue.append(arrival)
        outcomes += self._unblocked(slowness, now)
        capacity = int(len(self._free()) * elapsed_s / HOLD_S)
        while self._queue and capacity > 0:
            arrival = self._queue.popleft()
            capacity -= 1
            if self.database.locks.held and self._waits(arrival, now):
                capacity = int(len(self._free()) * elapsed_s / HOLD_S)
                continue
            outcomes.append(self._served(arrival, max(0.0, now - elapsed_s - arrival.at), slowness, now))
        at_once = self.trouble is not None and self.trouble.reason != "too_many_clients"
        while self._queue and not self._free() and (at_once or now - self._queue[0].at >= POOL_TIMEOUT_S):
            arrival = self._queue.popleft()
            elapsed = 0.006 + 0.004 * self.chance.random() if at_once else POOL_TIMEOUT_S + 0.05 * self.chance.random()
            outcomes.append(self._failed(arrival, elapsed, now))
        outcomes.sort(key=lambda outcome: outcome.at)
        self._answered = len(outcomes)
        for outcome in outcomes:
            self._report(outcome, min(outcome.at, now))
        return outcomes

    def _waits(self, arrival: Arrival, now: float) -> bool:
        """Let a request wait with a connection of the pool for a table that somebody holds; False when nobody does."""
        if not self.database.locks.wait(session := self._free()[0], arrival.endpoint.query, now):
            return False
        self._blocked.append((arrival, session))
        return True

    def _unblocked(self, slowness: float, now: float) -> list[Outcome]:
        """Answer what waited for a lock and may go on, and give up on what waited too long."""
        outcomes, still = [], []
        for arrival, session in self._blocked:
            if not self.database.locks.is_waiting(session):
                outcomes.append(self._served(arrival, max(0.0, now - arrival.at), slowness, now))
            elif now - arrival.at > PATIENCE_S:
                why = Complaint("Request timed out", self.service.exception(f"TimeoutError: no answer after {PATIENCE_S:g} s"))
                outcomes.append(self._done(arrival, 504, now - arrival.at, why))
            else:
                still.append((arrival, session))
        self._blocked = still
        return outcomes

    def _cacheable(self, path: str) -> bool:
        """Whether the answers of a path still come from the cache: code that behaves otherwise may not ask it."""
        behaviour = self.behaviours.get(path)
        return behaviour is None or behaviour.alone_s > 0

    def _computed(self, alone_s: float, at: float) -> float:
        """When a computation that waits for its turn is done, in seconds from `at`."""
        self._computing_until = min(max(self._computing_until, at) + alone_s, at + PATIENCE_S)
        return self._computing_until - at

    def role_at(self, client: str) -> str:
        """The role of the user at an address; empty when nobody is logged in there."""
        found = self.users.get(client)
        return found.role if found is not None else ""

    def _served(self, arrival: Arrival, waited_s: float, slowness: float, now: float) -> Outcome:
        endpoint = arrival.endpoint
        behaviour = self.behaviours.get(endpoint.path)
        if behaviour is not None and behaviour.client not in ("", arrival.client):
            behaviour = None
        workload, calls = self.database.workload, behaviour.calls if behaviour is not None else 1.0
        statement_s = endpoint.median_s * slowness * self.chance.lognormvariate(0, 0.5) * workload.factor(endpoint.query)
        statement_s += EACH_CALL_S * (calls - 1)
        query, rows = (behaviour.query, behaviour.rows) if behaviour is not None and behaviour.query else (endpoint.query, 12.0)
        extra_s = behaviour.extra_s if behaviour is not None and behaviour.query else 0.0
        self.database.ran(query, statement_s * STATEMENT_SHARE + extra_s * STATEMENT_SHARE, now, calls=calls, rows=rows)
        elapsed_s = waited_s + statement_s
        if endpoint.writes and self.database.volume.full:
            self.database.complain_of_space(now)
            return self._done(arrival, 500, elapsed_s, Complaint("Database error", self.service.no_space_left()))
        failed_s, outside = self._outside(endpoint)
        if outside is not None:
            return self._done(arrival, 502 if endpoint.asks else 500, elapsed_s + failed_s, outside)
        elapsed_s += failed_s
        table, words = self.service.unmigrated
        if table and self.database.revision != self.service.revision and table in tables_of(endpoint.query):
            complaint = Complaint("Query failed", self.service.query_error("UndefinedColumn", words))
            return self._done(arrival, 500, elapsed_s, complaint)
        rejected = endpoint.rejected > 0 and self.chance.random() < endpoint.rejected
        if behaviour is not None:
            elapsed_s += behaviour.extra_s * self._fails.lognormvariate(0, 0.25)
            if behaviour.alone_s:
                elapsed_s += self._computed(behaviour.alone_s, arrival.at)
            if self._fails.random() < behaviour.fail_share:
                return self._done(arrival, behaviour.status, elapsed_s, behaviour.complaint)
        if rejected and self.service.correlated:
            client = self.users.get(arrival.client)
            told = f"Login failed for {client.user if client else 'unknown'}: wrong password client={arrival.client}"
            return self._done(arrival, 401, elapsed_s, Complaint(told, (), "WARNING", "auth", bare=True))
        return self._done(arrival, 401 if rejected else 200, elapsed_s)

    def _outside(self, endpoint: Endpoint) -> tuple[float, Complaint | None]:
        """What an endpoint does beyond the database: how long it takes, and what goes wrong with it."""
        if self.surroundings is None or not (endpoint.stores or endpoint.asks):
            return 0.0, None
        if endpoint.stores:
            folder = self.environment.get(endpoint.stores, "")
            wrong = self.surroundings.cannot_write(folder)
            name = f"{folder}/invoice_{self._trace.randrange(1, 1000):03d}.pdf"
            return 0.0, Complaint(f"{wrong}: '{name}'", bare=True) if wrong else None
        wrong, took_s = self.surroundings.call(self.environment.get(endpoint.asks, ""))
        return took_s, Complaint(f"payment failed: {wrong}", bare=True) if wrong else None

    def _failed(self, arrival: Arrival, elapsed_s: float, now: float) -> Outcome:
        if self.trouble is None or self.trouble.reason == "too_many_clients":
            why = Complaint("Connection pool exhausted", self.service.pool_timeout(POOL_TIMEOUT_S))
        else:
            error = self.connection_error(now) or self.service.driver_error(str(self.trouble))
            why = Complaint("Database connection error", self.service.connecting(error))
        return self._done(arrival, 500, elapsed_s, why)

    def _done(self, arrival: Arrival, status: int, elapsed_s: float, why: Complaint | None = None) -> Outcome:
        self.histogram.observe(arrival.endpoint, status, elapsed_s)
        return Outcome(arrival.at + elapsed_s, arrival.endpoint, status, elapsed_s, why, arrival.client, arrival.trace)

    def _report(self, outcome: Outcome, at: float) -> None:
        """Log an answer; the traceback of a failed one at most once a second, as the service's own log filter does."""
        service, endpoint, why = self.service, outcome.endpoint, outcome.why
        request = f"{endpoint.method} {endpoint.path}"
        trace = service.trace(self._trace.getrandbits(128) if service.correlated else self.chance.getrandbits(48))
        trace = f"correlation_id={outcome.trace}" if outcome.trace and service.correlated else trace
        more = f" {trace}" if service.correlated else ""
        if why is not None:
            self.say(at, why.level, why.logger, f"{why.text}{'' if why.bare else f' while answering {request}'}{more}")
            if at >= self._traceback_at and why.traceback:
                self._traceback_at = at + 1
                self.log.err(at, *why.traceback)
        line = f"{request} {outcome.status} {outcome.elapsed_s * 1000:.0f}ms {self._who(outcome.client)}{trace}"
        (self._error if outcome.status >= 500 else self._info)(at, "api", line)
        if service.correlated and outcome.elapsed_s > SLOW_S:
            self.say(at, "WARNING", "api", f"Request took {outcome.elapsed_s:.1f}s to complete Endpoint: {endpoint.path}{more}")

    def _who(self, address: str) -> str:
        if not self.service.correlated:
            return ""
        client = self.users.get(address)
        return f"client={address or '-'} user={client.user if client else '-'} role={client.role if client else '-'} "

    def _limited(self, arrival: Arrival) -> Complaint:
        client = self.users.get(arrival.client)
        who, role = (client.user, client.role or "none") if client else (arrival.client, "none")
        return Complaint(f"User {who} (role={role}) hit rate limit on {arrival.endpoint.path}", (), "INFO", "rates", bare=True)


def crowding(requests_per_s: float) -> float:
    """How many times longer everything takes when so much is asked: 1 up to 60 % of the core, 10 when it is used up."""
    return max(1.0, 0.4 / (1 - min(requests_per_s / CORE_PER_S, 0.96)))
