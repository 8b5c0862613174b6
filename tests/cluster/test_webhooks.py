"""The webhooks that a real API server calls for a pod are those of which meshcheck says that they inject it."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
import random
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from meshcheck.cli.world import build_world
from meshcheck.load.read import Reading
from meshcheck.model.cluster_kinds import MESH_CONFIG, cluster_kinds
from meshcheck.model.coverage import whole
from meshcheck.semantics.world.injection import injection_of
from tests.cluster.conftest import why_not
from tests.support.apiserver import ApiServer
from tests.support.injectors import injector

Json = dict[str, Any]
EVERYTHING = frozenset((*(k.heading for k in cluster_kinds() if k.heading), MESH_CONFIG))
CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
ROUNDS, PODS = 8, 12
SPACES: list[Json] = [
    {},
    {"istio-injection": "enabled"},
    {"istio-injection": "disabled"},
    {"istio.io/rev": "canary"},
    {"istio.io/rev": "prod", "istio-injection": "enabled"},
    {"istio.io/rev": "prod"},
    {"istio.io/rev": "default"},
    {"team": "a"},
]


class Answering(NamedTuple):
    """A webhook server: where it is, and the certificate that it shows."""

    url: str
    bundle: str


class _Handler(BaseHTTPRequestHandler):
    """Writes into an annotation of the pod by which webhooks it was called."""

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["content-length"])))
        notes = review["request"]["object"]["metadata"].get("annotations") or {}
        called = [*filter(None, notes.get("called", "").split(",")), self.path.partition("?")[0].rpartition("/")[2]]
        patch = [{"op": "add", "path": "/metadata/annotations", "value": {**notes, "called": ",".join(called)}}]
        answer = {
            "uid": review["request"]["uid"],
            "allowed": True,
            "patchType": "JSONPatch",
            "patch": base64.b64encode(json.dumps(patch).encode()).decode(),
        }
        body = json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answering]:
    """A webhook server with a certificate of its own."""
    folder = tmp_path_factory.mktemp("webhook")
    chain = _certificate(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    certificate = chain.read_text().partition("-----BEGIN PRIVATE KEY-----")[0]
    yield Answering(f"https://127.0.0.1:{server.server_address[1]}", base64.b64encode(certificate.encode()).decode())
    server.shutdown()


def _certificate(folder: Path) -> Path:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "webhook")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
    made = made.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(hours=9))
    made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
    signed = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "chain.pem"
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*form))
    return path


@pytest.fixture(scope="module")
def calling() -> Iterator[ApiServer]:
    """An API server that calls webhooks."""
    if missing := why_not():
        pytest.skip(f"LOUD: no API server: {missing}; `export KUBEBUILDER_ASSETS=$(sh tests/cluster/kube-binaries/build.sh)`")
    with ApiServer(webhooks=True) as server:
        yield server


def selector(draw: random.Random, keys: list[tuple[str, list[str]]]) -> Json:
    out: Json = {}
    for key, values in draw.sample(keys, k=draw.randint(0, 2)):
        operator = draw.choice(["In", "NotIn", "Exists", "DoesNotExist", "is"])
        if operator == "is":
            out.setdefault("matchLabels", {})[key] = draw.choice(values)
            continue
        some = {"values": draw.sample(values, k=draw.randint(1, len(values)))} if operator.endswith("In") else {}
        out.setdefault("matchExpressions", []).append({"key": key, "operator": operator, **some})
    return out


def configurations(draw: random.Random, answering: Answering) -> list[Json]:
    """Istio's own for some revisions and tags, and one with random selectors and rules."""
    chosen = [injector(everywhere=draw.random() < 0.3), injector("canary"), injector("canary", tag="prod"), injector("old", tag="default")]
    out = draw.sample(chosen, k=draw.randint(0, 3))
    odd = injector("odd")
    del odd["webhooks"][1:]
    item = odd["webhooks"][0]
    keys = [("istio-injection", ["enabled", "disabled"]), ("team", ["a", "b"]), ("kubernetes.io/metadata.name", ["x", "default"])]
    item["namespaceSelector"] = selector(draw, keys)
    item["objectSelector"] = selector(draw, [("app", ["web", "api"]), ("sidecar.istio.io/inject", ["true", "false"])])
    item["rules"] = [
        {
            "operations": draw.sample(["CREATE", "UPDATE", "*"], k=1),
            "apiGroups": draw.sample(["", "apps", "*"], k=1) if draw.random() < 0.3 else [""],
            "apiVersions": draw.choice([["v1"], ["*"], ["v2"]]),
            "resources": draw.choice([["pods"], ["*"], ["pods/*"], ["*/*"], ["pods/status"], ["services"]]),
        }
    ]
    if draw.random() < 0.5:
        out.append(odd)
    for value in out:
        for webhook in value["webhooks"]:
            revision = value["metadata"]["labels"]["istio.io/rev"]
            webhook["clientConfig"] = {"url": f"{answering.url}/inject/{revision}", "caBundle": answering.bundle}
            webhook["failurePolicy"] = "Fail"
    return out


def pod(draw: random.Random, number: int) -> Json:
    labels = {"app": draw.choice(["web", "api"])}
    for key, values in (("sidecar.istio.io/inject", ["true", "false", "yes"]), ("istio.io/rev", ["canary", "prod", "default", "old"])):
        if draw.random() < 0.35:
            labels[key] = draw.choice(values)
    spec = {"containers": [{"name": "a", "image": "b"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"p-{number}", "labels": labels}, "spec": spec}


def _created(server: ApiServer, namespace: str, value: Json) -> list[str]:
    """The revisions whose webhooks the server calls for a pod, in order; nothing is stored."""
    made = server.request("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", value)
    return [name for name in (made["metadata"].get("annotations") or {}).get("called", "").split(",") if name]


def _install(server: ApiServer, answering: Answering, wanted: list[Json], number: int) -> None:
    """Put webhooks in place of those before, and wait until the server calls them: it hears of all in the order in which they change."""
    for item in server.request("GET", CONFIGURATIONS)["items"]:
        server.request("DELETE", f"{CONFIGURATIONS}/{item['metadata']['name']}")
    mark = injector(f"mark-{number}")
    del mark["webhooks"][1:]
    mark["webhooks"][0] |= {"clientConfig": {"url": f"{answering.url}/mark-{number}", "caBundle": answering.bundle}, "name": "mark.x.io"}
    mark["webhooks"][0] |= {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}}, "objectSelector": {}}
    for value in (*wanted, mark):
        server.request("POST", CONFIGURATIONS, value)
    deadline = time.monotonic() + 30
    while f"mark-{number}" not in _created(server, "default", pod(random.Random(1), 0)):
        assert time.monotonic() < deadline, "the webhooks are not called"
        time.sleep(0.1)


def test_a_server_calls_the_webhooks(calling: ApiServer, answering: Answering) -> None:
    draw, injected, seen = random.Random(11), 0, 0
    for number in range(ROUNDS):
        spaces = {f"s-{number}-{n}": labels for n, labels in enumerate(SPACES)}
        for name, labels in spaces.items():
            calling.request("POST", "/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
        _install(calling, answering, configurations(draw, answering), number)
        kept = [
            {**item, "apiVersion": version, "kind": kind}
            for path, version, kind in (
                ("/api/v1/namespaces", "v1", "Namespace"),
                (CONFIGURATIONS, "admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
            )
            for item in calling.request("GET", path)["items"]
        ]
        for name in (*spaces, "default"):
            for n in range(PODS):
                value = pod(draw, n)
                real = [called for called in _created(calling, name, value) if not called.startswith("mark-")]
                if value["metadata"]["labels"].get("sidecar.istio.io/inject") == "false":
                    continue  # Istio's injector answers such a call with nothing
                reading = Reading()
                reading.add_objects([*kept, {**value, "metadata": {**value["metadata"], "namespace": name}}])
                reading.coverage = whole(EVERYTHING)
                world = build_world(reading)
                found = injection_of(world, world.workloads_in(name)[0], world.namespace(name))
                assert (found.asked, found.revision if found.asked else None) == (bool(real), real[-1] if real else None), (name, value)
                injected, seen = injected + bool(real), seen + 1
    assert seen / 10 < injected < seen * 9 / 10, "both answers are common"
