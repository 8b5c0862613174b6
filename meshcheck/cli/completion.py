"""`meshcheck completion`: scripts for bash, zsh and fish."""

from __future__ import annotations

from meshcheck.errors import UsageError

_COMMANDS = "trace why graph lint can completion"
_SOURCES = "--filename --kustomize --helm --values --namespace --closed-world --root-namespace --trust-domain --mesh-config"
_OPTIONS = {
    "trace": "--from --to --method --header --jwt --claims --source-ip --sni --sidecars --output --batch --brief " + _SOURCES,
    "graph": "--focus --group --verdict --sidecars --output " + _SOURCES,
    "lint": "--filename --output --batch",
}

BASH = """\
_meshcheck() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} command=${{COMP_WORDS[1]}}
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "{commands}" -- "$word")); return; fi
  case "$word" in
    -*) case "$command" in
          trace|why) COMPREPLY=($(compgen -W "{trace}" -- "$word"));;
          graph) COMPREPLY=($(compgen -W "{graph}" -- "$word"));;
          lint) COMPREPLY=($(compgen -W "{lint}" -- "$word"));;
        esac;;
    *) COMPREPLY=($(compgen -f -- "$word"));;
  esac
}}
complete -o filenames -F _meshcheck meshcheck
"""

FISH = """\
complete -c meshcheck -f -n __fish_use_subcommand -a "{commands}"
{options}
"""


def run(words: list[str]) -> int:
    """Print a script: `meshcheck completion bash >> ~/.bashrc`."""
    shell = words[0] if len(words) == 1 else ""
    if shell == "bash":
        print(BASH.format(commands=_COMMANDS, **_OPTIONS), end="")
    elif shell == "zsh":
        print("autoload -U +X bashcompinit && bashcompinit\n" + BASH.format(commands=_COMMANDS, **_OPTIONS), end="")
    elif shell == "fish":
        seen = 'complete -c meshcheck -n "__fish_seen_subcommand_from '
        lines = [f'{seen}{name}" -l {option.removeprefix("--")}' for name, text in _OPTIONS.items() for option in text.split()]
        print(FISH.format(commands=_COMMANDS, options="\n".join(lines)), end="")
    else:
        raise UsageError("`meshcheck completion` needs a shell: bash, zsh or fish")
    return 0
