#!/usr/bin/env bash
# The step of action.yml: inputs come as environment variables, so that nothing of them is ever read as a program.
set -euo pipefail

options=()
lines() { # lines NAME OPTION: one option for each line of an input
  local line
  while IFS= read -r line; do
    line=${line#"${line%%[![:space:]]*}"}
    line=${line%"${line##*[![:space:]]}"}
    if [[ -n $line ]]; then if [[ -n $2 ]]; then options+=("$2" "$line"); else options+=("$line"); fi; fi
  done <<<"$1"
}
lines "${INPUT_FILES:-.}" --filename
lines "${INPUT_KUSTOMIZE:-}" --kustomize
lines "${INPUT_BASELINE:-}" --baseline
options+=(--fail-on "${INPUT_FAIL_ON:-error}")
lines "${INPUT_ARGS:-}" ""

sarif=${INPUT_SARIF:-meshcheck.sarif}
echo "sarif=$sarif" >>"$GITHUB_OUTPUT"
summary=$(mktemp)
status=0
meshcheck lint "${options[@]}" --output github --output sarif="$sarif" --output markdown="$summary" || status=$?
cat "$summary" >>"$GITHUB_STEP_SUMMARY"
exit "$status"
