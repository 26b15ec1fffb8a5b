"""The Compose file of the program planner, in the lab as in the simulated world."""

COMPOSE = """services:
  app:
    build: .
    ports: ["8000:8000"]
    env_file: .env
    depends_on: [db, redis]
  db:
    image: postgres:15
    volumes: ["database:/var/lib/postgresql/data"]
  redis:
    image: redis:7
volumes:
  database: {}
"""
