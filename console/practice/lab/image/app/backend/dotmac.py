"""The ISP platform's backend: customers, invoices, payments through a processor, uploads."""

import hashlib
import hmac
import http.client
import json
import logging
import os
import secrets
import sys
from urllib.parse import urlsplit

import redis
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from backend import cache, settings
from backend.accounts import LIFETIME_S, authenticate, hash_password, make_token, refuse_login
from backend.db import change, rows
from backend.web import Refused

log = logging.getLogger("backend.dotmac")
PROCESSOR = urlsplit(os.environ.get("PAYMENT_API_URL", "http://payment-processor:8080/api"))
LOCK_AFTER = 5


def start():
    """Look at the database; ends the backend when it does not let it in."""
    try:
        rows("SELECT 1 AS one")
    except OperationalError as error:
        words = str(error.orig).strip().splitlines()
        log.error("Connection to database failed: could not connect to server DETAIL: %s", words[-1])
        sys.exit(1)


def login(request):
    email = str(request.body.get("email", ""))
    found = rows(
        "SELECT password_hash, is_active, failed_login_attempts, locked_until > now() AS locked FROM users WHERE email = :email",
        email=email,
    )
    if not found:
        refuse_login(request, email, "no such user")
    user = found[0]
    if user["locked"] == "True":
        refuse_login(request, email, "the account is locked")
    if user["is_active"] != "True":
        refuse_login(request, email, "the account is not active")
    if user["password_hash"] != hash_password(str(request.body.get("password", ""))):
        change(
            "UPDATE users SET failed_login_attempts = failed_login_attempts + 1, locked_until = CASE WHEN "
            "failed_login_attempts + 1 >= :most THEN now() + interval '30 minutes' END WHERE email = :email",
            email=email,
            most=LOCK_AFTER,
        )
        refuse_login(request, email, "wrong password")
    request.user, request.role = email, "staff"
    return 200, {"access_token": make_token(email, "staff"), "token_type": "bearer", "expires_in": LIFETIME_S}


def customers(request):
    authenticate(request)
    tenant = int(request.query.get("tenant", "1"))
    return 200, rows(
        "SELECT id, portal_id, email, status FROM customers WHERE tenant_id = :tenant ORDER BY created_at DESC LIMIT 100",
        tenant=tenant,
    )


def customer(request):
    authenticate(request)
    email = str(request.query.get("email", "customer1@example.net"))
    statement = "SELECT id, portal_id, email, status FROM customers WHERE email = :email"
    return 200, cache.cached(f"customer:{email}", lambda: rows(statement, email=email))


def upload(request):
    authenticate(request)
    name = f"invoice_{int(request.body.get('number', 0)) % 50:03d}.pdf"
    try:
        (settings.UPLOADS / name).write_bytes(b"%PDF-1.4\n" + secrets.token_bytes(2048))
    except OSError as error:
        log.error("%s: '%s' correlation_id=%s", error.strerror, settings.UPLOADS / name, request.id)
        raise Refused(500, "The file could not be stored", "UPLOAD_FAILED") from None
    return 201, {"file": name}


def pay(request):
    authenticate(request)
    number, amount = int(request.body.get("invoice", 1)), str(request.body.get("amount", "19.90"))
    status, error = charge(number, amount)
    change(
        "INSERT INTO payments (invoice_id, customer_id, payment_method_id, amount, status, error_message) "
        "SELECT i.id, i.customer_id, m.id, :amount, :status, :error FROM invoices i "
        "LEFT JOIN payment_methods m ON m.customer_id = i.customer_id WHERE i.id = :number",
        number=number,
        amount=amount,
        status=status,
        error=error,
    )
    change("DELETE FROM payments WHERE created_at < now() - interval '6 hours' AND id > 600")
    if error:
        log.error("payment failed: %s invoice=%d correlation_id=%s", error, number, request.id)
        raise Refused(402 if status == "declined" else 502, error, "PAYMENT_FAILED")
    return 201, {"status": status}


def charge(number, amount):
    """Ask the processor; the payment's status and its error, empty when there is none."""
    connection = http.client.HTTPConnection(PROCESSOR.hostname, PROCESSOR.port or 80, timeout=5)
    try:
        connection.request("POST", f"{PROCESSOR.path}/charges", json.dumps({"invoice": number, "amount": amount}))
        answer = connection.getresponse()
        answer.read()
    except OSError as error:
        return "failed", f"Failed to connect to {PROCESSOR.hostname}: {error}"
    finally:
        connection.close()
    if answer.status >= 400:
        return "failed", f"HTTP {answer.status} {answer.reason}"
    return "succeeded", None


def webhook(request):
    payload = json.dumps(request.body, sort_keys=True).encode()
    secret = os.environ.get("WEBHOOK_SECRET", "").encode()
    wanted = "sha256=" + hmac.new(secret, payload, hashlib.sha256).hexdigest()
    valid = hmac.compare_digest(request.headers.get("x-signature", ""), wanted)
    change(
        "INSERT INTO webhook_events (provider, event_type, signature_valid, status, error_message) "
        "VALUES ('payment-processor', :kind, :valid, :status, :error)",
        kind=str(request.body.get("type", "payment.updated")),
        valid=valid,
        status="processed" if valid else "rejected",
        error=None if valid else "Invalid webhook signature",
    )
    change("DELETE FROM webhook_events WHERE received_at < now() - interval '6 hours' AND id > 200")
    if not valid:
        log.error("payment webhook failed: Invalid webhook signature correlation_id=%s", request.id)
        raise Refused(400, "Invalid webhook signature", "BAD_SIGNATURE")
    return 200, {"status": "received"}


def health(_request):
    checks = {"database": _works(lambda: rows("SELECT 1 AS one"), "database"), "redis": _works(cache.client.ping, "Redis")}
    checks["file_system"] = os.access(settings.UPLOADS, os.W_OK)
    healthy = all(checks.values())
    return (200 if healthy else 503), {"status": "healthy" if healthy else "unhealthy", "checks": checks}


def _works(question, name):
    try:
        question()
    except (SQLAlchemyError, redis.RedisError) as error:
        log.error("%s connection failed: %s", name, str(getattr(error, "orig", error)).strip().splitlines()[0])
        return False
    return True


def alive(_request):
    return 200, {"status": "alive"}


ROUTES = {
    ("POST", "/api/auth/login"): login,
    ("GET", "/api/customers"): customers,
    ("GET", "/api/customer"): customer,
    ("POST", "/api/uploads"): upload,
    ("POST", "/api/payments"): pay,
    ("POST", "/api/webhooks/payments"): webhook,
    ("GET", "/health"): health,
    ("GET", "/health/live"): alive,
}
