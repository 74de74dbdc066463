# Gives each role of the service the password that stands for it in the service's passfile
# (`host:port:database:role:password` a line). Read by the first start of the database's container, after roles.sql.
set -eu
while IFS=: read -r _ _ _ role password; do
    psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" --dbname="$POSTGRES_DB" \
        --set=role="$role" --set=password="$password" <<'SQL'
ALTER ROLE :"role" PASSWORD :'password';
SQL
done < "${PASSFILE:-/run/secrets/passfile}"
