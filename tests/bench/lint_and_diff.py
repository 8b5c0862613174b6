"""How long `lint` and `diff` take on meshes of 100, 1,000 and 5,000 services, as multiples of an empty Python.

    python tests/bench/lint_and_diff.py GEN_MESH [SERVICES …]

GEN_MESH is a program that makes a mesh: `GEN_MESH FOLDER --services N`. The change that `diff` compares: in five namespaces one rule admits
one method more, one policy is gone, and one network policy lets one more port through.

Other tools on such a mesh of 1,000 services, each in multiples of an empty Python on its machine (0.016 s): kubeconform 110,
kube-score 142, istioctl analyze 294, kube-linter 412, netpol-analyzer (all pairs) 5,300.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

SIZES = (100, 1000, 5000)
RUNS = 3


def main() -> None:
    """Make the meshes, run, print a table."""
    generator, sizes = sys.argv[1], tuple(int(word) for word in sys.argv[2:]) or SIZES
    empty = median(_cpu([sys.executable, "-c", "pass"]) for _ in range(9))
    print(f"empty Python: {empty * 1000:.0f} ms of CPU\n\n| services | MB | lint | diff | lint, MiB |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            old, new = Path(folder, f"{size}"), Path(folder, f"{size}-new")
            subprocess.run([sys.executable, generator, str(old), "--services", str(size)], check=True, capture_output=True)
            _change(old, new)
            command = [sys.executable, "-m", "meshcheck"]
            lint = median(
                _cpu([*command, "lint", "-f", str(old), "--closed-world", "-o", "json=" + str(Path(folder, "out"))]) for _ in range(RUNS)
            )
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            diff = median(_cpu([*command, "diff", str(old), str(new), "--closed-world", "--no-lint"]) for _ in range(RUNS))
            bytes_ = sum(file.stat().st_size for file in old.iterdir())
            print(
                f"| {size} | {bytes_ / 1e6:.1f} | {lint / empty:.0f} × ({lint:.2f} s) | {diff / empty:.0f} × ({diff:.2f} s) | {peak:.0f} |",
                flush=True,
            )


def _cpu(command: list[str]) -> float:
    """Seconds of CPU that a command takes; a machine's other work does not count."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr.decode())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _change(old: Path, new: Path) -> None:
    """A copy with the same number of changes, however large the mesh is."""
    new.mkdir()
    for number, file in enumerate(sorted(old.iterdir())):
        text = file.read_text()
        if number < 5:
            text = text.replace("        - GET\n", "        - GET\n        - PATCH\n", 1)
            documents = text.split("---\n")
            gone = next((d for d in documents if "kind: AuthorizationPolicy" in d and "-no-admin" in d), None)
            text = "---\n".join(d for d in documents if d is not gone)
            text = text.replace("      port: 8080\n", "      port: 8080\n    - protocol: TCP\n      port: 9999\n", 1)
        (new / file.name).write_text(text)


if __name__ == "__main__":
    main()
