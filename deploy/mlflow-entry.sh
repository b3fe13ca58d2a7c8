#!/bin/sh
# Writes the configuration of MLflow's passwords once, then runs what it was given.
set -eu
if [ ! -e "$MLFLOW_AUTH_CONFIG_PATH" ]; then
  umask 077
  cat > "$MLFLOW_AUTH_CONFIG_PATH" <<INI
[mlflow]
default_permission = READ
database_uri = sqlite:////auth/users.db
admin_username = admin
admin_password = $ADMIN_PASSWORD
INI
fi
exec "$@"
