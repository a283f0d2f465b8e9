#!/bin/sh
# The role of the pages (WEB_DATABASE_URL): it reads and writes rows and changes no table, and it can never take the
# connections that speech needs: 100 are PostgreSQL's default. Runs when the database is first made; on one that is
# there already, run it by hand.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set password="$POSTGRES_PASSWORD" <<'SQL'
CREATE ROLE speech_web LOGIN PASSWORD :'password' CONNECTION LIMIT 40;
GRANT pg_read_all_data, pg_write_all_data TO speech_web;
SQL
