"""A reporting job beside the simulated service: the statement that is seen running once a minute."""

from typing import TYPE_CHECKING

from console.practice.simulated.sessions import Refused, ServerSession

if TYPE_CHECKING:
    from console.practice.simulated.postgres import PostgresServer

REPORTS = {
    "sms": "SELECT c.code, avg(g.score), count(*) FROM grade g JOIN enrollment e ON e.id = g.enrollment_id "
    "JOIN course c ON c.id = e.course_id GROUP BY c.code ORDER BY 2 DESC"
}
"""By system; the others have no such job."""
FIRST_AFTER_S, EVERY_S, LASTS_S = 20.0, 60.0, 2.2


class ReportingJob:
    """Asks a heavy question each minute. Its role has pg_stat_statements.track = none: what it takes is not the service's."""

    def __init__(self, system: str) -> None:
        self._query = REPORTS.get(system, "")
        self._application = f"{system}-reports"
        self._session: ServerSession | None = None
        self._next_at = 0.0

    def wait(self, now: float) -> None:
        """The server has been started: every session is gone."""
        self._session, self._next_at = None, now + FIRST_AFTER_S

    def tick(self, server: "PostgresServer", now: float) -> None:
        if self._session is None or self._session not in server.sessions:
            if now < self._next_at or not self._query:
                return
            self._next_at = now + FIRST_AFTER_S
            try:
                self._session = server.connect(now, self._application, "172.18.0.9")
            except Refused:
                return
        session = self._session
        if session.state == "active" and session.query_start is not None and now - session.query_start > LASTS_S:
            server.took(session.query, 1000 * (now - session.query_start), now, pid=session.pid)
            session.rest(now)
        elif now >= self._next_at:
            self._next_at = now + EVERY_S
            session.run(self._query, now)
