"""Starts the backend of one system: what must be there at its start first, then the HTTP server."""

import importlib
import logging
import os
import signal
import sys

from sqlalchemy.exc import InterfaceError, OperationalError

from backend import log as logs
from backend import settings

logs.set_up()
log = logging.getLogger("backend.main")
MODULES = {"sms": "backend.api", "planner": "backend.planner", "sovd": "backend.sovd", "dotmac": "backend.dotmac"}
RELEASE = "1.17.6"


def stop(_number, _frame):
    log.info("Shutting down")
    sys.exit(0)


def migrate():
    """Bring the database to this release's revision; a failure ends the backend."""
    from backend import migrations

    try:
        log.info("Database is at revision %s", migrations.upgrade())
    except (OperationalError, InterfaceError):
        log.exception("Database connection error at start; migrations were not checked")
    except Exception as error:
        log.exception("Alembic migration failed: %s", error)
        sys.exit(1)


def main():
    """Run until stopped; exits 1 when what it needs at its start is not there."""
    signal.signal(signal.SIGTERM, stop)
    # After the logs are set up, so that what goes wrong here is told in their shape.
    from backend import defects, web

    api = importlib.import_module(MODULES[settings.SYSTEM])
    if settings.SYSTEM == "sms":
        log.info("Starting backend %s, AUTH_MODE=%s, semester %s", RELEASE, settings.AUTH_MODE, api.SEMESTER.name)
        migrate()
    else:
        log.info("Starting %s backend %s", settings.SYSTEM, os.environ.get("RELEASE", RELEASE))
        api.start()
    log.info("Listening on port %d", settings.PORT)
    defects.start()
    application = web.application(api.ROUTES)
    address = os.environ.get("LISTEN", "0.0.0.0")
    if hasattr(api, "WEBSOCKETS"):
        from backend import websockets

        websockets.run(application, api.WEBSOCKETS, address, settings.PORT)
    else:
        from waitress import serve

        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        serve(application, host=address, port=settings.PORT, threads=12, ident=f"{settings.SYSTEM}-backend")


if __name__ == "__main__":
    main()
