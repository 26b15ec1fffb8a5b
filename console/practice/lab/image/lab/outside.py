"""The world outside the host: the payment processor's site on port 8080, and a network device that answers SNMP."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

STATE = Path("/run/outside.json")
"""{"status": 503} makes the processor answer so, {"delay_s": 3} slowly; an empty object is well."""
SNMPD = "/etc/snmp/snmpd.conf"


class Processor(BaseHTTPRequestHandler):
    """GET /api/health and POST /api/charges."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.respond({"status": "ok"})

    def do_HEAD(self):
        self.respond({"status": "ok"})

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.respond({"status": "succeeded"})

    def respond(self, value):
        try:
            state = json.loads(STATE.read_text())
        except FileNotFoundError:
            state = {}
        time.sleep(state.get("delay_s", 0))
        body = json.dumps(value).encode()
        self.send_response(state.get("status", 200) if self.path.startswith("/api") else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, form, *values):
        print(f"{self.client_address[0]} {form % values}", flush=True)


def main():
    """Run both until told to stop."""
    site = ThreadingHTTPServer(("", 8080), Processor)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    device = subprocess.Popen(("snmpd", "-f", "-Lo", "-C", "-c", SNMPD, "udp:161"))
    print(f"The payment processor and {os.uname().nodename} answer")
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    device.terminate()
    device.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
