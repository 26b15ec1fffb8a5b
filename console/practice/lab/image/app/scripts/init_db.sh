#!/bin/bash
# Makes the tables of this system and their first rows, in a database that has none.
set -euo pipefail
exec psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --single-transaction "$DATABASE_URL" \
    --file "/lab/tables/$SYSTEM.sql"
