"""The connection pool to PostgreSQL."""

from sqlalchemy import create_engine, text

from backend import settings

# Connections are replaced after half a minute: a changed password, a lost route or a server without a free slot shows
# within that time, as it does behind a pooler with a short server lifetime.
engine = create_engine(
    settings.database_url(),
    pool_size=settings.number("DB_POOL_SIZE", 6),
    max_overflow=4,
    pool_timeout=5,
    pool_recycle=30,
    pool_pre_ping=True,
    connect_args={"application_name": f"{settings.SYSTEM}-backend", "connect_timeout": 4},
)


def rows(statement, **parameters):
    """The rows of a query as JSON-ready dictionaries."""
    with engine.connect() as connection:
        return [
            {key: str(value) if value is not None else None for key, value in row.items()}
            for row in connection.execute(text(statement), parameters).mappings()
        ]


def change(statement, **parameters):
    """Run one statement in a transaction of its own."""
    with engine.begin() as connection:
        connection.execute(text(statement), parameters)
