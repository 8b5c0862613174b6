# For the steps of action.yml: inputs come as environment variables, so that nothing of them is ever read as a program.

options=()
lines() { # lines TEXT OPTION: one option for each line of an input; without OPTION the lines themselves
  local line
  while IFS= read -r line; do
    line=${line#"${line%%[![:space:]]*}"}
    line=${line%"${line##*[![:space:]]}"}
    if [[ -n $line ]]; then if [[ -n $2 ]]; then options+=("$2" "$line"); else options+=("$line"); fi; fi
  done <<<"$1"
}

with_summary() { # with_summary COMMAND…: run it with the options, its Markdown goes into the summary of the job
  local summary status=0
  summary=$(mktemp)
  "$@" "${options[@]}" --output markdown="$summary" || status=$?
  cat "$summary" >>"$GITHUB_STEP_SUMMARY"
  return "$status"
}
