#!/bin/sh
# Run once by the image of PostgreSQL, when its volume is empty: a database for each service, and two accounts.
#
# <service>_owner owns the database and the log's table (`avow prepare` creates it); <service> is what the service runs
# as: it makes and owns its views, and may read the log and append to it, nothing else. Neither reaches the other
# service's database. Passwords come from files, and appear in no command.
set -eu

for service in pledge evaluation; do
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
        --set service="$service" --set secrets="${SECRETS:-/run/secrets}" <<'SQL'
\set owner :service _owner
\set service_file :secrets /postgres_ :service
\set owner_file :secrets /postgres_ :owner
\set service_password `cat :'service_file'`
\set owner_password `cat :'owner_file'`
CREATE ROLE :"service" LOGIN PASSWORD :'service_password';
CREATE ROLE :"owner" LOGIN PASSWORD :'owner_password';
CREATE DATABASE :"service" OWNER :"owner";
REVOKE ALL ON DATABASE :"service" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"service" TO :"service";
\connect :service
ALTER SCHEMA public OWNER TO :"owner";
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO :"service";
SQL
done
