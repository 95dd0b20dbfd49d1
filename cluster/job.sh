#!/usr/bin/env bash
# Submits a set to a cluster with nothing but Ray's own command. From the folder of your project:
#
#   RAY_API_SERVER_ADDRESS=http://127.0.0.1:8265 path/to/cluster/job.sh my_set.json /data/runs --allow-import .
#
# The token is read from ~/.ray/auth_token, or the file that RAY_AUTH_TOKEN_PATH names.
set -euo pipefail
set_file=${1:?name a scenario set of this folder}
out=${2:?name an absolute folder of the head for the results}
shift 2
export RAY_AUTH_MODE=${RAY_AUTH_MODE:-token}
exec ray job submit --working-dir . -- python -m finiex_ray run "$set_file" --executor ray --out "$out" "$@"
