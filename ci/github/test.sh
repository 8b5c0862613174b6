#!/usr/bin/env bash
# The second step of action.yml: statements about who may call what. Their files say which manifests they are about.
set -euo pipefail
# shellcheck source=ci/github/inputs.sh
. "$(dirname "$0")/inputs.sh"

lines "$INPUT_TESTS" ""
with_summary meshcheck test --output github
