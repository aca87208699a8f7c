#!/bin/bash
# On an empty data folder: make the cluster, with the superuser and the database that POSTGRES_* asks for. Then become the server.
# A first argument that starts with "-" is an option of the server.
set -euo pipefail

case ${1:-} in -*) set -- postgres "$@" ;; esac
[ "${1:-}" = postgres ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
  chown postgres:postgres "$PGDATA"
  exec setpriv --reuid postgres --regid postgres --init-groups "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  user=${POSTGRES_USER:-postgres} database=${POSTGRES_DB:-${POSTGRES_USER:-postgres}}
  : "${POSTGRES_PASSWORD:?the data folder is empty: set POSTGRES_PASSWORD}"
  initdb --username="$user" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
  if [ "$database" != postgres ]; then
    # Only on the socket: nobody connects before the database is there.
    pg_ctl --options="-c listen_addresses=''" --wait start
    createdb --username="$user" "$database"
    pg_ctl --mode=fast --wait stop
  fi
fi
unset POSTGRES_PASSWORD
exec "$@" -c listen_addresses='*'
