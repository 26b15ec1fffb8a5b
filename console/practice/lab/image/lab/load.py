"""Steady traffic of the usual kinds, so that every pane has something to show. SYSTEM says whose."""

import http.client
import json
import os
import random
import signal
import sys
import threading
import time
from urllib.parse import urlsplit

SYSTEM = os.environ.get("SYSTEM", "sms")
TARGET = urlsplit(os.environ["TARGET"])
REQUESTS_PER_S = float(os.environ.get("REQUESTS_PER_S", "6"))
USERS = 2
LOGIN_EVERY_S = 1200


def sms(chance, _seed):
    """Method, path and body of a random request of the usual mix."""
    kind = chance.choices(["grades", "attendance", "students", "courses", "login"], [40, 25, 20, 10, 5])[0]
    student = chance.randint(1, 400)
    if kind == "login":
        body = {"email": f"student{student}@studentmanagement.local", "password": f"student{student}"}
        return "POST", "/api/v1/auth/login", body
    query = {"grades": f"?student_id={student}", "attendance": f"?student_id={student}", "students": f"?offset={student // 25 * 25}"}
    return "GET", f"/api/v1/{kind}{query.get(kind, '')}", None


def sovd(chance, _seed):
    """Mostly vehicles; few enough commands that an engineer's limit of ten a minute is not met."""
    if chance.random() < 0.06:
        return "POST", "/api/v1/commands", {"vehicle_id": chance.randint(1, 60), "command_name": "ReadDTC"}
    return "GET", "/api/v1/vehicles", None


def planner(chance, _seed):
    """Projects of a program, now and then the programs, or the tasks of a project."""
    if chance.random() < 0.2:
        return "GET", "/api/v1/programs", None
    if chance.random() < 0.3:
        return "GET", f"/api/v1/tasks?name=Project%20{chance.randint(1, 1200)}", None
    return "GET", f"/api/v1/projects?program=P-{chance.randint(101, 108)}", None


def dotmac(chance, _seed):
    """Customers, some uploads and payments."""
    kind = chance.choices(["customers", "customer", "upload", "payment"], [35, 55, 5, 5])[0]
    if kind == "customers":
        return "GET", f"/api/customers?tenant={chance.randint(1, 2)}", None
    if kind == "customer":
        return "GET", f"/api/customer?email=customer{chance.randint(1, 12000)}@example.net", None
    if kind == "upload":
        return "POST", "/api/uploads", {"number": chance.randint(1, 50)}
    # A part of the invoice, never all of it: that would be a payment made twice.
    return "POST", "/api/payments", {"invoice": 60 * chance.randint(0, 9) + chance.randint(1, 59), "amount": "19.90"}


MIXES = {"sms": sms, "sovd": sovd, "planner": planner, "dotmac": dotmac}
LOGINS = {
    "sovd": ("/api/v1/auth/login", lambda seed: {"username": f"engineer{seed}", "password": f"engineer{seed}"}),
    "planner": ("/api/v1/auth/login", lambda seed: {"username": f"user{seed}", "password": f"user{seed}"}),
    "dotmac": ("/api/auth/login", lambda seed: {"email": f"user{seed}@dotmac.local", "password": f"user{seed}"}),
}


def send(method, path, body, token=""):
    """One request; status and parsed body."""
    connection = http.client.HTTPConnection(TARGET.hostname, TARGET.port or 80, timeout=15)
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def log_in(seed):
    """A token of this visitor; empty where none is needed or none was given."""
    if SYSTEM not in LOGINS:
        return ""
    path, credentials = LOGINS[SYSTEM]
    status, body = send("POST", path, credentials(seed))
    return json.loads(body)["access_token"] if status == 200 else ""


def visit(seed):
    """Send requests for ever; trouble is reported at most once in ten seconds."""
    chance = random.Random(seed)
    quiet_until = log_in_at = 0.0
    token = ""
    while True:
        method, path, body = MIXES[SYSTEM](chance, seed)
        trouble = None
        try:
            if time.monotonic() > log_in_at:
                token = log_in(seed)
                log_in_at = time.monotonic() + (LOGIN_EVERY_S if token or SYSTEM not in LOGINS else 20)
            status, _ = send(method, path, body, token)
            if status == 401 and SYSTEM in LOGINS:
                log_in_at = min(log_in_at, time.monotonic() + 20)
            trouble = f"{method} {path} {status}" if status >= 500 else None
        except OSError as error:
            trouble = f"{method} {path}: {error}"
        if trouble and time.monotonic() > quiet_until:
            print(f"user {seed}: {trouble}", file=sys.stderr)
            quiet_until = time.monotonic() + 10
        time.sleep(chance.expovariate(REQUESTS_PER_S / USERS))


def main():
    """Run the visitors until told to stop."""
    print(f"Sending {REQUESTS_PER_S:g} requests a second to {TARGET.netloc}")
    for seed in range(1, USERS + 1):
        threading.Thread(target=visit, args=(seed,), daemon=True).start()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main()
