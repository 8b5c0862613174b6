#!/usr/bin/env bash
# The third step of action.yml: what a change does to calls, written into the summary.
set -euo pipefail
# shellcheck source=ci/github/inputs.sh
. "$(dirname "$0")/inputs.sh"

lines "${INPUT_FILES:-.}" --filename
with_summary meshcheck diff "$INPUT_DIFF" --fail-on "${INPUT_DIFF_FAIL_ON:-never}" --output text
