"""Sessions of the database: `SessionLocal()` connects."""

from backend.db import engine

SessionLocal = engine.connect
