"""A report job that forgets to give its database sessions back, until nobody else gets one."""

import os
import select
import sys
import time

import psycopg2

FULL_FOR_S = 3
LOGIN = {
    "host": os.environ["DB_HOST"],
    "user": os.environ["POSTGRES_USER"],
    "dbname": os.environ["POSTGRES_DB"],
    "password": os.environ["DB_PASSWORD"],
    "application_name": "grade-export",
    "connect_timeout": 5,
}


def fill(held):
    """Open sessions until the server refuses one."""
    while True:
        try:
            session = psycopg2.connect(**LOGIN)
        except psycopg2.OperationalError:
            return
        session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM grade")
        held.append(session)


def lost_one(held):
    """Whether somebody ended a session while others were still being opened."""
    readable, _, _ = select.select(held, [], [], 0)
    return bool(readable)


def main():
    """Fill the server up, take the backend's places too, then sit idle until the last session is ended."""
    held = []
    fill(held)
    until = time.monotonic() + FULL_FOR_S
    while time.monotonic() < until:
        if held:
            with held[0].cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sms-backend'")
        fill(held)
        time.sleep(0.1)
    if lost_one(held):
        return 1  # Who ended them meant all of them, those opened in their place too.
    print(f"Holding {len(held)} sessions")
    while held:
        readable, _, _ = select.select(held, [], [])
        held = [session for session in held if session not in readable]  # Only the server's goodbye is ever readable.
    return 0


if __name__ == "__main__":
    sys.exit(main())
