"""The Tab key in real shells, and in the real kubectl."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shells.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
WORLD = "manifests/scenarios/method-not-allowed/manifests.yaml"
BIN = Path(sys.executable).parent


def _environment(tmp_path: Path) -> dict[str, str]:
    """Nobody's settings, nobody's cluster, and the meshcheck of this environment first."""
    return {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "ZDOTDIR": str(tmp_path),
        "TERM": "xterm",
        "LC_ALL": "C.UTF-8",
        "KUBECONFIG": str(tmp_path / "no-kubeconfig"),
    }


def _need(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed: completion in it is not tried (`apt-get install {program}`)")
    return found


def _commands() -> dict[str, list[str]]:
    return {
        "bash": ["bash", "--norc", "--noprofile", "-i"],
        "zsh": ["zsh", "-f", "-i"],
    }


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_tab_in_a_terminal(shell: str, tmp_path: Path) -> None:
    """Commands, options, names of objects and files are completed, also behind a colon."""
    _need(shell)
    start = "autoload -U compinit; compinit -u; " if shell == "zsh" else "bind 'set bell-style none'; "
    with Terminal(_commands()[shell], _environment(tmp_path), str(ROOT)) as terminal:
        terminal.press(f"{start} source <(meshcheck completion {shell}); echo load''ed\n")
        assert terminal.wait("loaded"), terminal.shown
        for typed, wanted in (
            ("meshcheck tra\t", "meshcheck trace"),
            ("meshcheck trace --fro\t", "--from"),
            (f"meshcheck trace -f {WORLD} --from shop/f\t", "shop/frontend"),
            (f"meshcheck trace -f {WORLD} --to shop/ca\t", "shop/cart:80"),
            (f"meshcheck trace -f {WORLD} --to http://ca\t", "http://cart.shop/"),
            ("meshcheck lint -f manifests/scenarios/READ\t", "manifests/scenarios/README.md"),
            ("meshcheck trace --output=mark\t", "--output=markdown"),
        ):
            terminal.press(typed)
            assert terminal.wait(wanted), f"{typed!r} shows {terminal.shown!r}"
            terminal.press("\x05\x15")  # Ctrl-E, Ctrl-U: an empty line again


def test_fish(tmp_path: Path) -> None:
    """fish says what it would offer."""
    fish = _need("fish")

    def offered(line: str) -> list[str]:
        script = f'meshcheck completion fish | source; complete -C "{line}"'
        done = subprocess.run(
            [fish, "--no-config", "-c", script], env=_environment(tmp_path), cwd=ROOT, capture_output=True, text=True, check=True
        )
        return done.stdout.splitlines()

    assert offered("meshcheck tra") == ["trace\twhy is a call refused, and what would let it through?"]
    assert "--from" in [line.partition("\t")[0] for line in offered("meshcheck trace --fr")]
    assert offered(f"meshcheck trace -f {WORLD} --from shop/f") == ["shop/frontend"]
    assert offered(f"meshcheck trace -f {WORLD} --to=shop/ca") == ["--to=shop/cart:80"]
    assert offered("meshcheck lint -f manifests/scenarios/READ") == ["manifests/scenarios/README.md"]


def test_kubectl_asks_the_plugin(tmp_path: Path) -> None:
    """kubectl finds `kubectl_complete-meshcheck` on the PATH and passes on what it says."""
    kubectl = _need("kubectl")
    done = subprocess.run(
        [kubectl, "__complete", "meshcheck", "trace", "-f", WORLD, "--from", ""],
        env=_environment(tmp_path), cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["shop/cart", "shop/frontend", "external", ":4"]


def test_kubectl_runs_the_plugin(tmp_path: Path) -> None:
    """`kubectl meshcheck` is meshcheck: the same words, the same status."""
    kubectl = _need("kubectl")
    done = subprocess.run(
        [kubectl, "meshcheck", "trace", "-f", WORLD, "--from", "shop/frontend", "--to", "http://cart.shop/api/items", "-X", "DELETE"],
        env=_environment(tmp_path), cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "403 RBAC: access denied" in done.stdout


def test_the_script_for_kubectl_is_a_program(tmp_path: Path) -> None:
    """What `completion kubectl` prints answers as kubectl expects."""
    script = tmp_path / "kubectl_complete-meshcheck"
    script.write_text(subprocess.run([str(BIN / "meshcheck"), "completion", "kubectl"], capture_output=True, text=True, check=True).stdout)
    script.chmod(0o755)
    done = subprocess.run([str(script), "grap"], env=_environment(tmp_path), capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ":4"
    assert done.stdout.startswith("graph\t")
