"""Redis or Valkey: memory, hits, clients, persistence, slow log, and what the server's own doctors say."""
