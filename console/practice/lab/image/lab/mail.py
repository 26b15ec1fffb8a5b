"""A mail server that takes letters from known users with an allowed sender, over STARTTLS, and throws them away."""

import os
import signal
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

USER = os.environ["SMTP_USER"]
PASSWORD = os.environ["SMTP_PASSWORD"]
SENDERS = set(os.environ["SMTP_SENDERS"].split(","))


class Letters:
    """Says which senders may send; what they send goes nowhere."""

    async def handle_MAIL(self, server, session, envelope, address, mail_options):
        if address not in SENDERS:
            return f"550 5.7.1 Sender address {address} is not allowed"
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        print(f"A letter from {envelope.mail_from} to {', '.join(envelope.rcpt_tos)}")
        return "250 Message accepted"


def accepts(_server, _session, _envelope, _mechanism, data):
    """Whether a login is the configured one."""
    given = (data.login.decode("utf-8", "replace"), data.password.decode("utf-8", "replace"))
    # Not handled: the server says the refusal itself, or the client would wait for it in vain.
    return AuthResult(success=given == (USER, PASSWORD), handled=False)


def main():
    """Run until told to stop."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/etc/ssl/lab/cert.pem", "/etc/ssl/lab/key.pem")
    controller = Controller(
        Letters(),
        hostname="0.0.0.0",
        port=587,
        ident="Practice mail",
        tls_context=context,
        authenticator=accepts,
        auth_required=True,
        auth_require_tls=True,
    )
    controller.start()
    print("Listening on port 587")
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    controller.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
