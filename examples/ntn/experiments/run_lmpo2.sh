#!/usr/bin/env bash
# Train LMPO2 with five seeds, or those in SEEDS. What is set in the environment stands; an empty variable counts as unset.
set -euo pipefail

export TRACKER_BACKEND="${TRACKER_BACKEND:-file}"
export TRACKER_DIR="${TRACKER_DIR:-experiment_logs}"
export AIM_REPO="${AIM_REPO:-.aim}"
export EXPERIMENT_NAME="${EXPERIMENT_NAME:-lmpo2_experiment}"

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
exec "${PYTHON:-python3}" "$here/../train_lmpo2.py" --bond-dim "${BOND_DIM:-6}" --seeds ${SEEDS:-0 1 2 3 4} "$@"
