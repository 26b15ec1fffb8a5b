"""Clients of the database and of the service that behave badly, run by hand or by a fault; each until it is ended.

    python /lab/clients.py idle N [SECONDS]        N sessions that do nothing (SECONDS: and then leave)
    python /lab/clients.py idle-in-transaction N   N sessions that have begun a transaction and do not end it
    python /lab/clients.py lock TABLE              one session that holds a table and does not let go
    python /lab/clients.py statement SQL           one session that runs one statement, again when it is done
    python /lab/clients.py loop N METHOD URL [JSON] [TOKEN]   N requests a second to one address
    python /lab/clients.py compute                 computes without end
    python /lab/clients.py relay PORT HOST PORT SECONDS       passes connections on, each answer so much later

The name of the file and its arguments are how it is known in a list of processes. Database sessions are labelled with
the environment's CLIENT.
"""

import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request


def session():
    """A session of the application's own login."""
    import psycopg2

    opened = psycopg2.connect(
        host=os.environ["DB_HOST"],
        user=os.environ["POSTGRES_USER"],
        dbname=os.environ["POSTGRES_DB"],
        password=os.environ["DB_PASSWORD"],
        application_name=os.environ.get("CLIENT", "report-job"),
        connect_timeout=5,
    )
    opened.autocommit = True
    return opened


def run(opened, statement):
    with opened.cursor() as cursor:
        cursor.execute(statement)


def idle(count, seconds="0"):
    held = [session() for _ in range(int(count))]
    for opened in held:
        run(opened, "SELECT 1")
    if float(seconds):
        time.sleep(float(seconds))
    else:
        rest()


def idle_in_transaction(count):
    held = [session() for _ in range(int(count))]
    for opened in held:
        run(opened, "BEGIN")
        run(opened, "SELECT count(*) FROM pg_class")
    rest()


def lock(table):
    opened = session()
    run(opened, "BEGIN")
    run(opened, f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    rest()


def statement(sql):
    import psycopg2

    while True:
        try:
            run(session(), sql)
        except psycopg2.Error as error:
            sys.exit(f"The statement was ended: {error}")


def compute():
    while True:
        sum(range(10_000))


def loop(per_s, method, url, body="", token=""):
    headers = {"Content-Type": "application/json", "User-Agent": "sync-client/1.0"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    while True:
        request = urllib.request.Request(url, body.encode() or None, headers, method=method)
        try:
            urllib.request.urlopen(request, timeout=10).read()
        except (urllib.error.URLError, OSError):
            pass  # It neither backs off nor gives up: that is what is wrong with it.
        time.sleep(1 / float(per_s))


def relay(port, host, target, seconds):
    """Pass connections on to HOST:TARGET, every answer so many seconds later."""
    server = socket.create_server(("", int(port)), reuse_port=True)
    while True:
        client, _ = server.accept()
        try:
            far = socket.create_connection((host, int(target)), timeout=5)
        except OSError:
            client.close()
            continue
        far.settimeout(None)
        threading.Thread(target=pump, args=(client, far, 0.0), daemon=True).start()
        threading.Thread(target=pump, args=(far, client, float(seconds)), daemon=True).start()


def pump(source, sink, delay_s):
    try:
        while data := source.recv(65536):
            time.sleep(delay_s)
            sink.sendall(data)
    except OSError:
        pass  # One side has gone, which ends both.
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue


def rest():
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


KINDS = {
    "idle": idle,
    "idle-in-transaction": idle_in_transaction,
    "lock": lock,
    "statement": statement,
    "loop": loop,
    "compute": compute,
    "relay": relay,
}

if __name__ == "__main__":
    KINDS[sys.argv[1]](*sys.argv[2:])
