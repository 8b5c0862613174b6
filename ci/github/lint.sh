#!/usr/bin/env bash
# The first step of action.yml.
set -euo pipefail
# shellcheck source=ci/github/inputs.sh
. "$(dirname "$0")/inputs.sh"

lines "${INPUT_FILES:-.}" --filename
lines "${INPUT_KUSTOMIZE:-}" --kustomize
lines "${INPUT_BASELINE:-}" --baseline
options+=(--fail-on "${INPUT_FAIL_ON:-error}")
lines "${INPUT_ARGS:-}" ""

sarif=${INPUT_SARIF:-meshcheck.sarif}
echo "sarif=$sarif" >>"$GITHUB_OUTPUT"
with_summary meshcheck lint --output github --output sarif="$sarif"
