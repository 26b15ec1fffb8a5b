"""What kind of program a system's backend is: its names, what it needs to start, where it looks for others, its words."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from console.practice.simulated.log import traceback
from console.practice.simulated.postgres import NO_SPACE

Frame = tuple[str, int, str, str]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a client looks for a server, and as whom."""

    host: str
    port: int
    user: str = ""
    password: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """The program behind the role `backend`. `database_hosts` and `cache_hosts`: names under which the servers are found, the
    usual one first."""

    name: str
    greeting: str
    """Its first log line; `{NAME}` stands for a variable of its environment."""
    database_hosts: tuple[str, ...]
    database_address: str
    cache_hosts: tuple[str, ...]
    address: str
    package: str = "backend"
    folder: str = "/app/backend"
    port: int = 8000
    required: tuple[str, ...] = ()
    """Variables without which it does not start."""
    numbers: tuple[str, ...] = ()
    """Variables that it reads as whole numbers at its start, where they are set."""
    revision: str = "0003_login_event"
    """The newest revision of the database that the release knows."""
    revision_before: str = "0002_grade_indexes"
    migrates: bool = True
    """It brings the database to its revision when it starts, and ends where it cannot; else a person runs the migrations."""
    unmigrated: tuple[str, str] = ("", "")
    """Statements on this table fail, in these words, until the newest migration was run."""
    needs_database: bool = False
    """It ends when PostgreSQL does not let it in at its start."""
    correlated: bool = False
    """Its log lines say who asked, and name the request by a `correlation_id`; otherwise by a `request_id` alone."""
    secret_name: str = ""
    """The variable with the key that its tokens are signed with."""
    pool_variable: str = ""
    """The variable with the number of connections that its pool keeps."""
    leaked_query: str = "SELECT 1"
    """What a connection ran last that is never given back."""

    def greet(self, environment: Mapping[str, str]) -> str:
        return self.greeting.format_map(_Missing(environment))

    def trace(self, number: int) -> str:
        """How its log names a request: its id, of 128 random bits."""
        if not self.correlated:
            return f"request_id={number % (1 << 48):012x}"
        text = f"{number:032x}"
        return f"correlation_id={text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:32]}"

    def database(self, environment: Mapping[str, str]) -> Address:
        """Where the environment says that PostgreSQL is: DATABASE_URL, else DB_HOST or POSTGRES_HOST and their like."""
        url = environment.get("DATABASE_URL", "")
        if url:
            return parse_address(url, 5432)

        def told(name: str, usual: str = "") -> str:
            return environment.get(f"DB_{name}") or environment.get(f"POSTGRES_{name}") or usual

        port = told("PORT", "5432")
        user, password, database = told("USER"), told("PASSWORD"), told("NAME") or told("DB")
        return Address(told("HOST", self.database_hosts[0]), int(port) if port.isdigit() else 0, user, password, database)

    def cache(self, environment: Mapping[str, str]) -> Address:
        """Where the environment says that Redis is: REDIS_URL, or REDIS_HOST."""
        url = environment.get("REDIS_URL", "")
        if url:
            return parse_address(url, 6379)
        return Address(environment.get("REDIS_HOST", self.cache_hosts[0]), 6379)

    # Its words ------------------------------------------------------------------------------------------------------

    def driver_error(self, text: str) -> str:
        """What the driver says when the server refuses: with its address, and the hint when nobody listens."""
        lead = f'connection to server at "{self.database_hosts[0]}" ({self.database_address}), port 5432 failed'
        if text == "Connection refused":
            return f"{lead}: Connection refused. Is the server running on that host and accepting TCP/IP connections?"
        return f"{lead}: {text}"

    def no_route(self, address: str) -> str:
        return (
            f'connection to server at "{self.database_hosts[0]}" ({address}), port 5432 failed: No route to host. '
            "Is the server running on that host and accepting TCP/IP connections?"
        )

    def no_cache(self, host: str = "", port: int = 6379) -> str:
        return f"Error 111 connecting to {host or self.cache_hosts[0]}:{port}. Connection refused."

    def connecting(self, error: str) -> tuple[str, ...]:
        """A connection that could not be made."""
        return traceback(self._asking, f"sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) {error}")

    def query_error(self, kind: str, text: str) -> tuple[str, ...]:
        """A statement that the server refused: `kind` as in psycopg2.errors."""
        return traceback(self._asking, f"sqlalchemy.exc.ProgrammingError: (psycopg2.errors.{kind}) {text}")

    def pool_timeout(self, timeout_s: float) -> tuple[str, ...]:
        """No connection came free in time."""
        limit = "QueuePool limit of size 8 overflow 32 reached, connection timed out"
        return traceback(self._asking, f"sqlalchemy.exc.TimeoutError: {limit}, timeout {timeout_s:.2f}")

    def exception(self, error: str, *, function: str = "answer", line: int = 57, source: str = "") -> tuple[str, ...]:
        """An exception of the service's own code."""
        return traceback(
            (self._asking[0], (f"{self.folder}/api.py", line, function, source or f"return {function}(request)")), error
        )

    def missing_module(self, name: str) -> tuple[str, ...]:
        """The process ends at its imports."""
        imports = (f"{self.folder}/api.py", 8, "<module>", f"import {name}")
        return traceback((self._main, imports), f"ModuleNotFoundError: No module named '{name}'")

    def missing_setting(self, name: str) -> tuple[str, ...]:
        """The process ends because its environment lacks something."""
        reads = (f"{self.folder}/settings.py", 11, "<module>", f'{name} = os.environ["{name}"]')
        return traceback((self._main, reads), f"KeyError: '{name}'")

    def bad_number(self, name: str, value: str) -> tuple[str, ...]:
        """The process ends because a variable is no number."""
        reads = (f"{self.folder}/settings.py", 14, "number", 'return int(os.environ.get(name, "") or usual)')
        db = (f"{self.folder}/db.py", 17, "<module>", f'engine = create_engine(URL, pool_size=number("{name}", 8))')
        return traceback((self._main, db, reads), f"ValueError: invalid literal for int() with base 10: '{value}'")

    def migration(self, problem: str) -> tuple[str, ...]:
        """The process ends because the database is not where the release expects it."""
        frames = (
            (f"{self.folder}/main.py", 98, "main", 'log.info("Database is at revision %s", migrations.upgrade())'),
            (f"{self.folder}/migrations.py", 43, "upgrade", "raise MigrationError("),
        )
        return traceback(frames, f"{self.package}.migrations.MigrationError: {problem}")

    def broken_configuration(self) -> tuple[str, ...]:
        frames = (
            self._main,
            (f"{self.folder}/api.py", 12, "<module>", "SEMESTER = settings.load_semester()"),
            (f"{self.folder}/settings.py", 34, "load_semester", 'starts_on = today - timedelta(days=raw["started_days_ago"])'),
        )
        return traceback(frames, "KeyError: 'started_days_ago'")

    def no_space_left(self) -> tuple[str, ...]:
        frames = (self._asking[0], (f"{self.folder}/api.py", 71, "login", "connection.execute("))
        return traceback(frames, f"sqlalchemy.exc.OperationalError: (psycopg2.errors.DiskFull) {NO_SPACE}")

    @property
    def _asking(self) -> tuple[Frame, ...]:
        return (
            (f"{self.folder}/main.py", 42, "answer", 'return handler(dict(parse_qsl(environ.get("QUERY_STRING", ""))), body)'),
            (f"{self.folder}/api.py", 19, "rows", "with engine.connect() as connection:"),
        )

    @property
    def _main(self) -> Frame:
        return (f"{self.folder}/main.py", 93, "main", f"from {self.package} import api, migrations")


@lru_cache(maxsize=64)
def parse_address(url: str, port: int) -> Address:
    """An address out of a URL; what cannot be read is empty, as a client would find nothing there."""
    try:
        parts = urlsplit(url)
        return Address(
            parts.hostname or "", parts.port or port, parts.username or "", unquote(parts.password or ""), parts.path.lstrip("/")
        )
    except ValueError:
        return Address("", port)


class _Missing(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""
