"""Scripts for bash, zsh and fish: thin, because what is offered is asked of `meshcheck __complete` at each Tab."""

from __future__ import annotations

BASH = r"""# meshcheck, completion for bash
_meshcheck() {
  # Words as they were typed: bash takes them apart at `:` and `=`, which stand in targets and options.
  local -a words=() offers=()
  local rest=${COMP_LINE:0:COMP_POINT} part blank i line directive cut
  for ((i = 0; i <= COMP_CWORD; i++)); do
    blank=${rest%%[![:space:]]*}
    rest=${rest#"$blank"}
    part=${COMP_WORDS[i]}
    if ((i == COMP_CWORD)); then part=$rest; fi
    rest=${rest#"$part"}
    if ((i > 0)) && [[ -z $blank ]]; then words[${#words[@]} - 1]+=$part; else words+=("$part"); fi
  done
  local word=${words[${#words[@]} - 1]}
  while IFS= read -r line; do offers+=("$line"); done < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
  ((${#offers[@]})) || return
  directive=${offers[${#offers[@]} - 1]#:}
  unset "offers[${#offers[@]}-1]"
  COMPREPLY=()
  if ((directive == 0)); then
    compopt -o filenames 2>/dev/null
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "${word#*=}")
    return
  fi
  if ((directive & 2)); then compopt -o nospace 2>/dev/null; fi
  cut=
  if [[ $word == *[:=]* && $COMP_WORDBREAKS == *:* ]]; then cut=${word%"${word##*[:=]}"}; fi
  for line in "${offers[@]}"; do
    line=${line%%$'\t'*}
    COMPREPLY+=("${line#"$cut"}")
  done
}
complete -F _meshcheck meshcheck
"""

ZSH = r"""#compdef meshcheck
# meshcheck, completion for zsh
_meshcheck() {
  local -a offers texts shown
  local line directive text
  offers=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  (( $#offers )) || return 1
  directive=${offers[-1]#:}
  offers[-1]=()
  if (( directive == 0 )); then
    compset -P '*='
    _files
    return
  fi
  for line in "${offers[@]}"; do
    text=${line%%$'\t'*}
    texts+=("$text")
    if [[ $line == *$'\t'* ]]; then shown+=("$text  -- ${line#*$'\t'}"); else shown+=("$text"); fi
  done
  if (( directive & 2 )); then compadd -S '' -l -d shown -a texts; else compadd -l -d shown -a texts; fi
}
compdef _meshcheck meshcheck
"""

FISH = r"""# meshcheck, completion for fish
function __meshcheck_offers
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l offers ($words[1] __complete $words[2..] "$word" 2>/dev/null)
    test (count $offers) -gt 0; or return
    if test "$offers[-1]" = ":0"
        set -l prefix (string match -r '^--[^=]*=' -- "$word")
        for file in (__fish_complete_path (string replace -r '^--[^=]*=' '' -- "$word"))
            echo "$prefix$file"
        end
        return
    end
    set -e offers[-1]
    printf '%s\n' $offers
end
complete -c meshcheck -f -a '(__meshcheck_offers)'
"""

KUBECTL = """#!/bin/sh
# What may stand at the cursor of `kubectl meshcheck …`: kubectl runs this from the PATH as `kubectl_complete-meshcheck`.
exec kubectl-meshcheck __complete "$@"
"""
