"""The connection pool to PostgreSQL."""

from sqlalchemy import create_engine
from sqlalchemy.engine import URL

from backend import settings

# Connections are replaced after half a minute: a changed password, a lost route or a server without a free slot shows
# within that time, as it does behind a pooler with a short server lifetime.
engine = create_engine(
    URL.create(
        "postgresql+psycopg2",
        username=settings.DB_USER,
        password=settings.DB_PASSWORD,
        host=settings.DB_HOST,
        port=settings.DB_PORT,
        database=settings.DB_NAME,
    ),
    pool_size=6,
    max_overflow=4,
    pool_timeout=5,
    pool_recycle=30,
    pool_pre_ping=True,
    connect_args={"application_name": "sms-backend", "connect_timeout": 4},
)
