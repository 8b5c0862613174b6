"""Makes what is generated of the chart and of the plain manifests. Run it after a change of the chart or of the kinds that are read.

    python manifests/install/generate.py            # writes
    python manifests/install/generate.py --check    # says what is stale, with status 1
    python manifests/install/generate.py --helm     # says which helm is used; status 1 where there is none

charts/meshcheck/templates/_rules.tpl   the rules of the role, from meshcheck/model/cluster_kinds.py
charts/meshcheck/README.md              the table of values, from values.yaml and values.schema.json
manifests/install/*.yaml                the chart, rendered (needs helm 3)
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from meshcheck.model.cluster_kinds import CALL, RBAC, ClusterKind, kinds_for

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "meshcheck"
RULES = CHART / "templates" / "_rules.tpl"
README = CHART / "README.md"
_TABLE = ("<!-- values -->\n", "<!-- end of values -->\n")
INSTALL = ROOT / "manifests" / "install"
NAMESPACE = "meshcheck"
KUBERNETES = "1.30.0"
"""A helm from `go install` takes the cluster for an old one when it has none to ask."""

MANIFESTS = {
    "cronjob.yaml": ("cronJob.enabled=true",),
    "job.yaml": ("cronJob.enabled=false", "job.enabled=true", "job.hook=false"),
    "watch.yaml": ("cronJob.enabled=false", "watch.enabled=true"),
}
"""File → values. Each file is complete: apply one of them."""
PARTS = {
    "podmonitor.yaml": ("podmonitor", ("watch.enabled=true", "metrics.podMonitor.enabled=true")),
    "dashboard.yaml": ("dashboard", ("metrics.dashboard.enabled=true",)),
}
"""File → (template, values): what goes beside one of them where Prometheus and Grafana are."""
_HEAD = "# Generated from charts/meshcheck by manifests/install/generate.py: change the chart, not this file.\n"
_SPACE = f"""\
---
apiVersion: v1
kind: Namespace
metadata:
  name: {NAMESPACE}
  labels:
    pod-security.kubernetes.io/enforce: restricted
"""


def rules_template() -> str:
    """The two lists of rules as a template of the chart: kinds of the cluster, and kinds of namespaces.

    Roles and bindings are among them only where a value says so: they are read for questions about RBAC.
    """
    parts = [
        "{{/* Generated from meshcheck/model/cluster_kinds.py by manifests/install/generate.py: the kinds that a pass reads. */}}\n",
        '{{- define "meshcheck.verbs" -}}{{ .Values.watch.enabled | ternary "[list, watch]" "[list]" }}{{- end -}}\n',
    ]
    for name, namespaced in (("clusterRules", False), ("namespacedRules", True)):
        parts.append(f'\n{{{{- define "meshcheck.{name}" -}}}}\n')
        parts += _rules([kind for kind in kinds_for(CALL) if kind.namespaced is namespaced])
        parts.append("{{- if .Values.rbac.readRoles }}\n")
        parts += _rules([kind for kind in kinds_for(RBAC) if kind.namespaced is namespaced])
        parts.append("{{- end }}\n{{- end -}}\n")
    return "".join(parts)


def _rules(kinds: list[ClusterKind]) -> Iterator[str]:
    groups: dict[str, list[str]] = {}
    for kind in kinds:
        groups.setdefault(kind.group, []).append(kind.plural)
    for group, plurals in groups.items():
        shown = group or '""'
        yield f"- apiGroups: [{shown}]\n  resources: [{', '.join(sorted(plurals))}]\n"
        yield '  verbs: {{ include "meshcheck.verbs" . }}\n'


def readme() -> str:
    """The chart's page with the table of its values as they are now."""
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(_TABLE[0])
    return before + _TABLE[0] + values_table() + _TABLE[1] + rest.partition(_TABLE[1])[2]


def values_table() -> str:
    """Each value with its default and what it is for, as Markdown."""
    import yaml

    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    defaults = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    rows = "".join(f"| `{name}` | {default} | {about} |\n" for name, default, about in _values(schema["properties"], defaults, ""))
    return f"\n| Value | Default | |\n|---|---|---|\n{rows}"


def _values(properties: dict[str, Any], defaults: dict[str, Any], before: str) -> Iterator[tuple[str, str, str]]:
    """(name, default, description): of the innermost values; of groups their own description stands with each."""
    for name, found in properties.items():
        if name not in defaults:
            continue
        if "properties" in found:
            yield from _values(found["properties"], defaults[name], f"{before}{name}.")
        else:
            default = json.dumps(defaults[name], ensure_ascii=False)
            yield before + name, f"`{default}`" if len(default) < 60 else "see values.yaml", found["description"].replace("|", "\\|")


def helm() -> str | None:
    """The helm to render with: on the PATH, or where `go install` puts it."""
    found = shutil.which("helm")
    if found:
        return found
    for folder in (os.environ.get("GOBIN"), os.path.join(os.environ.get("GOPATH") or str(Path.home() / "go"), "bin")):
        if folder and os.access(os.path.join(folder, "helm"), os.X_OK):
            return os.path.join(folder, "helm")
    return None


def render(*arguments: str) -> str:
    """`helm template` of the chart as release `meshcheck` in its namespace."""
    program = helm()
    if program is None:
        raise SystemExit("helm is not installed: go install helm.sh/helm/v3/cmd/helm@v3.22.0")
    command = [program, "template", NAMESPACE, str(CHART), "--namespace", NAMESPACE, "--kube-version", KUBERNETES, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def manifests() -> Iterator[tuple[Path, str]]:
    """(file, content) of the plain manifests. Labels that only helm needs are left out."""
    for file, values in MANIFESTS.items():
        yield INSTALL / file, _HEAD + _SPACE + _plain(render(*_set(values)))
    for file, (template, values) in PARTS.items():
        yield INSTALL / file, _HEAD + _plain(render("--show-only", f"templates/{template}.yaml", *_set(values)))


def _set(values: tuple[str, ...]) -> Iterator[str]:
    for value in values:
        yield from ("--set", value)


def _plain(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not line.lstrip().startswith(("# Source: ", "helm.sh/", "app.kubernetes.io/managed-by: Helm")))


def main() -> int:
    """Write, or check."""
    if "--helm" in sys.argv[1:]:
        print(helm() or "no helm")
        return 0 if helm() else 1
    check, stale = "--check" in sys.argv[1:], list[str]()
    stale += _put(RULES, rules_template(), check)
    stale += _put(README, readme(), check)
    for path, content in manifests():
        stale += _put(path, content, check)
    for name in stale:
        print(f"{name} {'is stale: run manifests/install/generate.py' if check else 'written'}")
    return 1 if check and stale else 0


def _put(path: Path, content: str, check: bool) -> list[str]:
    if path.exists() and path.read_text(encoding="utf-8") == content:
        return []
    if not check:
        path.write_text(content, encoding="utf-8")
    return [str(path.relative_to(ROOT))]


if __name__ == "__main__":
    sys.exit(main())
