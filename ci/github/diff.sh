#!/usr/bin/env bash
# The second step of action.yml: what a change does to calls, written into the summary. Inputs come as environment variables.
set -euo pipefail

options=()
while IFS= read -r line; do
  line=${line#"${line%%[![:space:]]*}"}
  line=${line%"${line##*[![:space:]]}"}
  if [[ -n $line ]]; then options+=(--filename "$line"); fi
done <<<"${INPUT_FILES:-.}"

summary=$(mktemp)
status=0
meshcheck diff "$INPUT_DIFF" "${options[@]}" --fail-on "${INPUT_DIFF_FAIL_ON:-never}" --output text --output markdown="$summary" || status=$?
cat "$summary" >>"$GITHUB_STEP_SUMMARY"
exit "$status"
