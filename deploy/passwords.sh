# Gives each role the password that stands for it in a passfile of all of them (`host:port:database:role:password` a
# line), and lets the role of the backups in from the other containers, as the image's `all` does not mean replication.
# Read by the first start of the database's container, as user postgres and after roles.sql. It is not read again, so
# when it failed, the volume has to go.
set -eu
passfile="${PASSFILE:-/run/secrets/roles.passfile}"
while IFS=: read -r _ _ _ role password; do
    psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" --dbname="$POSTGRES_DB" \
        --set=role="$role" --set=password="$password" <<'SQL'
ALTER ROLE :"role" PASSWORD :'password';
SQL
done < "$passfile"
echo 'host replication emulation_backup all scram-sha-256' >> "$PGDATA/pg_hba.conf"
