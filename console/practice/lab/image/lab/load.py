"""Steady traffic through the proxy, so that every pane has something to show."""

import http.client
import json
import os
import random
import signal
import sys
import threading
import time

HOST = os.environ.get("PROXY_HOST", "proxy")
REQUESTS_PER_S = float(os.environ.get("REQUESTS_PER_S", "6"))
USERS = 2


def request(chance):
    """Method, path and body of a random request of the usual mix."""
    kind = chance.choices(["grades", "attendance", "students", "courses", "login"], [40, 25, 20, 10, 5])[0]
    student = chance.randint(1, 400)
    if kind == "login":
        body = {"email": f"student{student}@studentmanagement.local", "password": f"student{student}"}
        return "POST", "/api/v1/auth/login", json.dumps(body)
    query = {"grades": f"?student_id={student}", "attendance": f"?student_id={student}", "students": f"?offset={student // 25 * 25}"}
    return "GET", f"/api/v1/{kind}{query.get(kind, '')}", None


def visit(seed):
    """Send requests for ever; trouble is reported at most once in ten seconds."""
    chance = random.Random(seed)
    quiet_until = 0.0
    while True:
        method, path, body = request(chance)
        connection = http.client.HTTPConnection(HOST, 8080, timeout=15)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            status = connection.getresponse().status
            trouble = f"{method} {path} {status}" if status >= 500 else None
        except OSError as error:
            trouble = f"{method} {path}: {error}"
        finally:
            connection.close()
        if trouble and time.monotonic() > quiet_until:
            print(f"user {seed}: {trouble}", file=sys.stderr)
            quiet_until = time.monotonic() + 10
        time.sleep(chance.expovariate(REQUESTS_PER_S / USERS))


def main():
    """Run the visitors until told to stop."""
    print(f"Sending {REQUESTS_PER_S:g} requests a second to {HOST}")
    for seed in range(USERS):
        threading.Thread(target=visit, args=(seed,), daemon=True).start()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main()
