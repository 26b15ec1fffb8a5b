#!/bin/bash
# One dump at the start, then one a day; removing old ones is left to people, as in the guide. It also holds the data
# volume mounted while PostgreSQL is stopped: a volume in memory is emptied when its last user goes.
set -euo pipefail
backups=${BACKUPS:-/var/lib/postgresql/backups}
export PGHOST=$DB_HOST PGUSER=$POSTGRES_USER PGDATABASE=$POSTGRES_DB PGPASSWORD=$DB_PASSWORD PGCONNECT_TIMEOUT=5
trap 'exit 0' TERM INT
mkdir -p "$backups"

dump() {
    local target
    target="$backups/${POSTGRES_DB}_$(date -u +%Y%m%d_%H%M%S).sql.gz"
    if pg_dump --no-owner --clean --if-exists | gzip > "$target.part"; then
        mv "$target.part" "$target"
        echo "Backup written: $target ($(stat -c %s "$target") bytes)"
    else
        rm -f "$target.part"
        echo "ERROR: backup failed: $target" >&2
        return 1
    fi
}

while true; do
    if dump; then pause=86400; else pause=5; fi
    sleep "$pause" &
    wait $!
done
