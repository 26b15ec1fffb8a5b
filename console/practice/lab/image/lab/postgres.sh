#!/bin/bash
# Makes the cluster and its data at the first start, then runs PostgreSQL in the foreground with its log on stderr.
# SYSTEM, POSTGRES_USER, POSTGRES_DB and POSTGRES_PASSWORD say whose data.
set -euo pipefail
backups=${BACKUPS:-/var/lib/postgresql/backups}
as_postgres=(setpriv --reuid=postgres --regid=postgres --init-groups)

install -d -o postgres -g postgres -m 0755 /var/lib/postgresql "$backups"
install -d -o postgres -g postgres -m 2775 /run/postgresql

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    echo "Making the database cluster in $PGDATA"
    rm -rf "$PGDATA"   # A first start that was cut off leaves a half-made cluster, which initdb refuses.
    staging="$PGDATA.new"
    rm -rf "$staging"
    "${as_postgres[@]}" initdb --pgdata="$staging" --encoding=UTF8 --locale=C.UTF-8 --data-checksums --no-sync \
        --wal-segsize=4 --auth-local=trust --auth-host=scram-sha-256 > /dev/null
    echo "host all all all scram-sha-256" >> "$staging/pg_hba.conf"
    echo "include '/lab/postgresql.conf'" >> "$staging/postgresql.conf"
    # The seeding server listens on the socket alone, so that nobody meets a database without its tables.
    "${as_postgres[@]}" pg_ctl --pgdata="$staging" --wait --timeout=60 --silent \
        -o "-c listen_addresses= -c fsync=off" start > /dev/null
    own_login=1
    if [ "$POSTGRES_USER" = postgres ]; then own_login=0; fi
    psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --username postgres --dbname postgres --set own_login="$own_login" \
        --set password="$POSTGRES_PASSWORD" --set user="$POSTGRES_USER" --set database="$POSTGRES_DB" --file /lab/roles.sql
    psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
        --file "/lab/tables/$SYSTEM.sql" --command ANALYZE
    # Spare segments of the write-ahead log, which are reused from then on: a server that has to make one on a full
    # volume panics instead of refusing to write.
    for _ in 1 2 3 4 5 6 7; do
        psql --quiet --no-psqlrc --username postgres --dbname postgres --output /dev/null \
            --command "SELECT pg_logical_emit_message(false, 'lab', 'room'); SELECT pg_switch_wal();"
    done
    "${as_postgres[@]}" pg_ctl --pgdata="$staging" --wait --mode=fast --silent stop
    mv "$staging" "$PGDATA"
    echo "The database $POSTGRES_DB is ready"
fi

exec "${as_postgres[@]}" postgres -D "$PGDATA" -c max_connections="${MAX_CONNECTIONS:-40}"
