#!/bin/sh
# /etc/patroni/post_bootstrap.sh: Patroni calls it once, with the address of the new primary, and it makes the
# application's role and database.
set -eu
umask 077
statements=$(mktemp)
trap 'rm -f "$statements"' EXIT
# A file, since everybody on this machine may see the arguments of a command.
cat >"$statements" <<'SQL'
CREATE ROLE campaign LOGIN PASSWORD '@APPLICATION_PASSWORD@';
-- Behind PgBouncer the application can keep no limits in a session. A statement whose client has given up is ended by
-- client_connection_check_interval; a limit here would also end those that need long, such as VACUUM.
ALTER ROLE campaign SET lock_timeout = '5s';
ALTER ROLE campaign SET idle_in_transaction_session_timeout = '10min';
CREATE DATABASE campaign OWNER campaign;
SQL
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --dbname "$1" --file "$statements"
