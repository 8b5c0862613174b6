"""A name that only the cluster's DNS can know, and that no Service has, fails there; others are unknown."""

from __future__ import annotations

import pytest

from meshcheck.cli.questions import question_of
from meshcheck.cli.world import build_world
from meshcheck.load.read import Reading
from meshcheck.model.trace import Trace
from meshcheck.semantics.tracing.trace import trace
from tests.support.manifests import app, space, thing


def ask(host: str, *texts: str, closed: bool = True, web: str = "") -> Trace:
    """The web calls a host."""
    reading = Reading()
    reading.add_text("world.yaml", "---\n".join([space("shop"), web or app("shop", "web"), app("shop", "cart"), *texts]))
    asked = {"id": "q", "from": {"namespace": "shop", "workload": "web"}, "to": {"url": f"http://{host}/"}, "method": "GET"}
    return trace(build_world(reading, closed=closed), question_of(asked))


@pytest.mark.parametrize(
    "host", ["crat", "crat.shop.svc", "crat.shop.svc.cluster.local", "crat.shop.svc.cluster.local.", "cart.nowhere.svc"]
)
def test_a_name_of_the_cluster_that_nobody_has(host: str) -> None:
    """Refused at name resolution, as the caller sees it."""
    found = ask(host)
    assert (found.verdict, found.symptom.kind) == ("denied", "dns")
    assert found.decided_at is not None
    assert found.decided_at[1].name == "dns"


@pytest.mark.parametrize("host", ["crat.shop", "crat.example.com"])
def test_a_name_that_somebody_else_may_have(host: str) -> None:
    """Unknown: a name server outside the cluster may know it."""
    assert ask(host).verdict == "unknown"


def test_an_open_world() -> None:
    """The Service may be in another file."""
    assert ask("crat.shop.svc.cluster.local", closed=False).verdict == "unknown"


def test_a_service_entry_may_declare_it() -> None:
    """Names of ServiceEntries are names as well."""
    entry = thing(
        "networking.istio.io/v1", "ServiceEntry", "shop", "crat", "{hosts: [crat], ports: [{number: 80, name: http, protocol: HTTP}]}"
    )
    assert ask("crat", entry).verdict == "unknown"


@pytest.mark.parametrize("field", ["hostNetwork: true", "dnsPolicy: Default", "dnsPolicy: None"])
def test_a_pod_that_asks_other_name_servers(field: str) -> None:
    """What they know is not in the input."""
    web = app("shop", "web").replace("spec: {serviceAccountName", f"spec: {{{field}, serviceAccountName")
    assert ask("crat.shop.svc.cluster.local", web=web).verdict == "unknown"
