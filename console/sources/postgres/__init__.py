"""PostgreSQL 12–18: who holds the connections, who blocks whom, how busy the server is, and ending what must end."""
