"""The simulated backend: how it answers requests, with the pool and the cache that its process has, and how it fails."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from console.practice.simulated.behaviour import Behaviour, Complaint, Outcome
from console.practice.simulated.limits import RateLimits
from console.practice.simulated.process import RETRY_S, Process
from console.practice.simulated.traffic import Arrival, Client, Endpoint
from console.practice.simulated.workload import tables_of

POOL_TIMEOUT_S = 4.0
HOLD_S = 0.14
"""How long a request keeps a connection at least: until its answer is sent."""
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
CACHE_PATIENCE_S = 1.0
"""How long it waits for a cache to which packets are dropped."""
MISSED_SHARE = 0.55
"""Of what is looked up in the cache: so many misses are usual at most. Beyond that the database has the work of the cache too."""
MISSES_COST, MISSES_STRAIN = 8.0, 1.2
"""By how much, with an empty cache, what should come from it takes longer (many compute the same), and everything else."""
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
    _statement_s: float = 0.0
    """What the request that was served last did with its connection."""
    _cache_wait_s: float = 0.0
    """What it costs now to ask the cache in vain."""
    _missed_share: float = 0.38
    """Of the newest hundred or so lookups in the cache."""
    _trace: random.Random = field(default_factory=lambda: random.Random(21))  # noqa: S311 - a practice world
    _fails: random.Random = field(default_factory=lambda: random.Random(20))  # noqa: S311 - a practice world

    def start(self, now: float) -> None:
        Process.start(self, now)
        self.behaviours = {path: item for path, item in self.behaviours.items() if not item.until_restart}

    def answer(self, arrivals: list[Arrival], now: float, elapsed_s: float) -> list[Outcome]:
        """Take in requests and give back those that are answered by now, in the order of their answers."""
        outcomes = []
        slowness = self.slowness(now) * (1 + self.cpu_percent / CPU_OF_A_CORE) * crowding(len(arrivals) / elapsed_s)
        slowness *= self.newness(now) * self.shortage(now)
        cache_error = self.cache_error()
        unanswered = cache_error is not None and cache_error.endswith("Connection timed out.")
        self._cache_wait_s = CACHE_PATIENCE_S if unanswered else (0.0 if cache_error is not None else 2 * self.cache.slow_s)
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
            elif endpoint.cached and self._cacheable(endpoint.path) and self._cached(cache_error, now):
                wait_s = self.chance.uniform(0.4, 2.4) if self.out_of_threads else 0.0
                outcomes.append(self._done(arrival, 200, wait_s + self.cache.slow_s + self.chance.lognormvariate(-5.6, 0.4)))
            else:
                self._queue.append(arrival)
        slowness *= self.database.coldness(now) * (1 + MISSES_STRAIN * self._excess)
        outcomes += self._unblocked(slowness, now)
        outcomes += self._begun(slowness, now, elapsed_s)
        at_once = self.trouble is not None and self.trouble.reason != "too_many_clients" and not self._free()
        while self._queue and (at_once or now - self._queue[0].at >= POOL_TIMEOUT_S):
            arrival = self._queue.popleft()
            elapsed = 0.006 + 0.004 * self.chance.random() if at_once else POOL_TIMEOUT_S + 0.05 * self.chance.random()
            outcomes.append(self._failed(arrival, elapsed, now))
        outcomes.sort(key=lambda outcome: outcome.at)
        self._answered = len(outcomes)
        for outcome in outcomes:
            self._report(outcome, min(outcome.at, now))
        return outcomes

    def _begun(self, slowness: float, now: float, elapsed_s: float) -> list[Outcome]:
        """Answer what waits for a connection, in its order, as connections come free; each is kept as long as its request needs
        it, so that slow statements and few connections let the others wait."""
        if not self._queue:
            return []
        outcomes = []
        free = [(item.busy_until, item.pid, item) for item in self._free() if item.busy_until <= now]
        heapify(free)
        while self._queue and free:
            since, _, session = heappop(free)
            arrival = self._queue.popleft()
            begins = max(since, min(arrival.at, now), now - elapsed_s)
            if self.database.locks.held and self.database.locks.wait(session, arrival.endpoint.query, now):
                self._blocked.append((arrival, session))
                continue
            outcomes.append(self._served(arrival, max(0.0, begins - arrival.at), slowness, now))
            session.busy_until = begins + max(HOLD_S, self._statement_s)
            if session.busy_until <= now:
                heappush(free, (session.busy_until, session.pid, session))
            elif self._statement_s > elapsed_s:
                session.run(arrival.endpoint.query, begins)
        return outcomes

    def _cached(self, cache_error: str | None, now: float) -> bool:
        """Whether a page is found in the cache."""
        found = cache_error is None and self.cache.lookup(now)
        self._missed_share += 0.02 * ((0.0 if found else 1.0) - self._missed_share)
        return found

    @property
    def _excess(self) -> float:
        """How much of the cache's work is left to the database: 0 as usual, 1 all of it."""
        return max(0.0, self._missed_share - MISSED_SHARE) / (1 - MISSED_SHARE)

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
        if endpoint.cached:
            statement_s *= 1 + MISSES_COST * self._excess
        query, rows = (behaviour.query, behaviour.rows) if behaviour is not None and behaviour.query else (endpoint.query, 12.0)
        extra_s = behaviour.extra_s if behaviour is not None and behaviour.query else 0.0
        self.database.ran(query, statement_s * STATEMENT_SHARE + extra_s * STATEMENT_SHARE, now, calls=calls, rows=rows)
        self._statement_s = (statement_s + extra_s) * STATEMENT_SHARE
        elapsed_s = waited_s + statement_s + (self._cache_wait_s if endpoint.cached else 0.0)
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
