"""Reports to write, to shorten and to measure."""

from __future__ import annotations

from meshcheck.model.finding import Finding
from meshcheck.model.objects import ObjectRef
from meshcheck.model.report import Answer, CheckReport, Gap, Report, counted_findings, counted_results, worst

POLICY = ObjectRef("security.istio.io/v1", "AuthorizationPolicy", "shop", "cart-viewer")


def refused(id: str = "delete", decided_by: ObjectRef | None = POLICY) -> Answer:
    return Answer(
        id,
        "shop/frontend → DELETE http://cart.shop/",
        "allowed",
        "failed",
        "denied",
        "✗ 403 RBAC: access denied — sidecar of shop/cart: no ALLOW policy matches",
        decided_by,
        "3f5e",
        "spec.rules[0]",
        ("shop/cart-viewer spec.rules[0].to[0].operation.methods is GET; the call has DELETE",),
        ("add `DELETE`",),
    )


def passed(id: str) -> Answer:
    return Answer(id, "a/b → c/d:1", "denied", "passed", "denied", "✗ connection refused")


def questions(*answers: Answer, name: str = "calls") -> CheckReport:
    results = [a.result for a in answers]
    return CheckReport(name, "questions", worst(results), 0.25, answers=answers, counts=counted_results(results))


def lint(*findings: Finding) -> CheckReport:
    return CheckReport("manifests", "lint", "failed" if findings else "passed", 0.5, findings=findings, counts=counted_findings(findings))


def finding(number: int, severity: str = "warning") -> Finding:
    return Finding("MC112", "deny-without-rules", severity, f"finding {number} " + "x" * 200, POLICY, ("spec",))  # type: ignore[arg-type]


def report(*checks: CheckReport, gaps: tuple[Gap, ...] = ()) -> Report:
    return Report("1.2.3", "2026-01-02T03:04:05Z", 1.5, "the cluster", (("Pod", 2), ("Service", 1)), gaps, checks)
