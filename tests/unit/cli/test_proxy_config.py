"""`--proxy-config` and `meshcheck proxy`, on the dump of a real Envoy that ran what a real istiod sent (tests/oracle/dump.py)."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from meshcheck.cli.main import main

ROOT = Path(__file__).resolve().parents[3]
MANIFESTS = (ROOT / "manifests/scenarios/method-not-allowed/manifests.yaml").read_text()
DUMP = json.loads((Path(__file__).parent / "proxy/method-not-allowed.json").read_text())
CALL = ("--from", "shop/frontend", "--to", "http://cart.shop/api/items")
RULE = "ns[shop]-policy[cart-viewer]-rule[0]"


class Pair:
    """Manifests and a dump on disk, and meshcheck asked about both."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._manifests, self._dump, self._capsys = folder / "manifests.yaml", folder / "dump.json", capsys
        self.manifests, self.dump = MANIFESTS, copy.deepcopy(DUMP)

    def proxy(self, *words: str) -> tuple[int, list[dict[str, Any]]]:
        """Exit status and differences of `meshcheck proxy`."""
        self._write()
        status = main(["proxy", "-f", str(self._manifests), str(self._dump), "-o", "json", *words])
        answer = json.loads(self._capsys.readouterr().out)
        _schema("proxy").validate(answer)
        found: list[dict[str, Any]] = answer["proxies"][0]["differences"]
        return status, found

    def trace(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Exit status and answer of `meshcheck trace --proxy-config`."""
        self._write()
        status = main(["trace", "-f", str(self._manifests), *CALL, "--proxy-config", str(self._dump), "-o", "json", *words])
        answer: dict[str, Any] = json.loads(self._capsys.readouterr().out)
        _schema("trace").validate(answer)
        return status, answer

    def text(self, *words: str) -> str:
        self._write()
        main([*words, "-f", str(self._manifests), *CALL, "--proxy-config", str(self._dump)])
        return self._capsys.readouterr().out

    def rbac(self, change: Callable[[dict[str, Any]], Any]) -> None:
        """Change the configuration of each RBAC filter over HTTP."""
        for config in self.filters("envoy.filters.http.rbac"):
            change(config)

    def filters(self, name: str) -> list[dict[str, Any]]:
        return [item["typed_config"] for manager in self.managers() for item in manager["http_filters"] if item["name"] == name]

    def managers(self) -> list[dict[str, Any]]:
        return [f["typed_config"] for chain in self.chains() for f in chain["filters"] if "http_filters" in f["typed_config"]]

    def chains(self) -> list[dict[str, Any]]:
        section = next(section for section in self.dump["configs"] if section["@type"].endswith("ListenersConfigDump"))
        found: list[dict[str, Any]] = section["static_listeners"][0]["listener"]["filter_chains"]
        return found

    def _write(self) -> None:
        self._manifests.write_text(self.manifests)
        self._dump.write_text(json.dumps(self.dump))


def _schema(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(files("meshcheck").joinpath("data", "schemas", f"{name}.v1.json").read_text()))


@pytest.fixture
def pair(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Pair:
    return Pair(tmp_path, capsys)


def _messages(found: list[dict[str, Any]]) -> list[str]:
    return [f"{difference['kind']}: {difference['message']}" for difference in found]


def test_what_istiod_sent_is_what_the_manifests_mean(pair: Pair) -> None:
    """Nothing differs, and the proxy decides as the manifests do."""
    assert pair.proxy() == (0, [])
    for method, status, verdict in (("GET", 0, "allowed"), ("DELETE", 1, "denied")):
        got, answer = pair.trace("-X", method)
        assert (got, answer["proxy"]["verdict"], answer["proxy"]["as_the_manifests"]) == (status, verdict, True)
        assert answer["proxy"]["port"] == 8080
    assert pair.trace("-X", "DELETE")[1]["proxy"]["policy_id"] == "none"


def test_a_stale_rule_names_both_sides_and_the_line(pair: Pair) -> None:
    """The proxy still has GET and HEAD; the manifests have DELETE, too: the call is refused although the manifests allow it."""
    pair.manifests = MANIFESTS.replace('["GET", "HEAD"]', '["GET", "HEAD", "DELETE"]')
    status, answer = pair.trace("-X", "DELETE")
    assert (status, answer["verdict"]) == (0, "allowed")
    assert (answer["proxy"]["verdict"], answer["proxy"]["as_the_manifests"]) == ("denied", False)
    (found,) = answer["proxy"]["differences"]
    assert found["message"] == (
        "AuthorizationPolicy shop/cart-viewer rule 0: the proxy has methods GET, HEAD; the manifests say methods DELETE, GET, HEAD"
    )
    assert (found["kind"], found["field"], found["policy_id"]) == ("stale", "spec.rules[0].to[0].operation.methods", RULE)
    assert MANIFESTS.splitlines()[found["place"]["line"] - 1].strip().startswith("methods:")
    text = pair.text("trace", "-X", "DELETE")
    assert text.startswith("! the sidecar of shop/cart, as it runs, denies this call")
    assert "≠ stale  AuthorizationPolicy shop/cart-viewer" in text


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            "AuthorizationPolicy\nmetadata: {name: no-admin, namespace: shop}\nspec: {action: DENY, rules: [{}]}",
            "missing: AuthorizationPolicy shop/no-admin is not in the proxy (yet)",
        ),
        (
            "RequestAuthentication\nmetadata: {name: j, namespace: shop}\nspec: {jwtRules: [{issuer: https://i}]}",
            "missing: RequestAuthentication shop/j: issuer https://i is not in the proxy (yet)",
        ),
        (
            "PeerAuthentication\nmetadata: {name: p, namespace: shop}\nspec: {mtls: {mode: PERMISSIVE}}",
            "mtls: port 8080: the proxy is STRICT; the manifests say PERMISSIVE (shop/p)",
        ),
        (
            "AuthorizationPolicy\nmetadata: {name: nothing, namespace: shop}\nspec: {}",
            "missing: AuthorizationPolicy shop/nothing is not in the proxy (yet)",
        ),
    ],
)
def test_not_yet_there(more: str, words: str, pair: Pair) -> None:
    """What was applied and has not reached the proxy."""
    pair.manifests += f"---\napiVersion: security.istio.io/v1\nkind: {more}\n"
    status, found = pair.proxy()
    assert status == 1
    assert words in _messages(found)


def test_a_removed_policy_that_is_still_there(pair: Pair) -> None:
    """The proxy has a policy that the manifests have not."""
    pair.manifests = "---\n".join(part for part in MANIFESTS.split("---\n") if "kind: AuthorizationPolicy" not in part)
    _, (found,) = pair.proxy()
    assert found["kind"] == "surplus"
    assert "AuthorizationPolicy shop/cart-viewer rule 0 (ALLOW), which the input does not hold" in found["message"]
    _, (found,) = pair.proxy("--closed-world")
    assert "which does not exist any more" in found["message"]


def test_a_policy_that_was_edited_in_the_proxy(pair: Pair) -> None:
    """Its condition on the caller is gone: an EnvoyFilter, or somebody else, was there."""
    pair.rbac(lambda config: config["rules"]["policies"][RULE].update(principals=[{"any": True}]))
    _, (found,) = pair.proxy()
    assert found["message"] == (
        "AuthorizationPolicy shop/cart-viewer rule 0: the proxy has no principals; "
        "the manifests say principals cluster.local/ns/shop/sa/frontend"
    )


def test_values_that_are_combined_in_another_way(pair: Pair) -> None:
    """The same values under `and` instead of `or`."""

    def change(config: dict[str, Any]) -> None:
        rules = config["rules"]["policies"][RULE]["permissions"][0]["and_rules"]["rules"]
        rules[:] = [{"and_rules": part["or_rules"]} for part in rules]

    pair.rbac(change)
    _, (found,) = pair.proxy()
    assert found["message"].endswith("the proxy has the same values, combined in another way")


def test_an_action_that_was_turned(pair: Pair) -> None:
    """ALLOW in the manifests, DENY in the proxy."""
    pair.rbac(lambda config: config["rules"].update(action="DENY"))
    _, found = pair.proxy("--port", "8080")
    assert "stale: AuthorizationPolicy shop/cart-viewer: the proxy has it as DENY; the manifests say ALLOW" in _messages(found)


def test_a_condition_that_cannot_be_read_is_not_called_stale(pair: Pair) -> None:
    """What meshcheck does not know it does not judge; and what the proxy makes of the call is unknown then."""
    pair.rbac(lambda config: config["rules"]["policies"][RULE]["principals"].append({"sourced_metadata": {"x": 1}}))
    _, answer = pair.trace("-X", "GET")
    (found,) = answer["proxy"]["differences"]
    assert found["kind"] == "unread"
    assert answer["proxy"]["as_the_manifests"] in (None, True)


def test_what_no_policy_of_istio_makes(pair: Pair) -> None:
    """A policy with a name of its own, and a filter that is none of Istio's: both are named, and nothing is promised about the call."""
    pair.rbac(
        lambda config: config["rules"]["policies"].update({"by-hand": {"permissions": [{"any": True}], "principals": [{"any": True}]}})
    )
    assert _messages(pair.proxy()[1]) == ["added: the proxy has an RBAC policy `by-hand` (ALLOW) that no AuthorizationPolicy makes"]
    for manager in pair.managers():
        manager["http_filters"].insert(0, {"name": "envoy.filters.http.lua", "typed_config": {"@type": "x/Lua"}})
    _, answer = pair.trace("-X", "GET")
    assert any("filter `envoy.filters.http.lua` is none of Istio's own" in m for m in _messages(answer["proxy"]["differences"]))
    assert answer["proxy"]["verdict"] == "unknown"


def test_field_names_as_others_write_them(pair: Pair) -> None:
    """istioctl writes `destinationPort` where Envoy's admin port writes `destination_port`."""

    def camel(value: Any, free: bool = False) -> Any:
        if isinstance(value, list):
            return [camel(item) for item in value]
        if not isinstance(value, dict):
            return value
        words = {key: key if free or key.isupper() or key == "@type" else _camel(key) for key in value}
        return {words[key]: camel(item, key in ("policies", "metadata", "LABELS")) for key, item in value.items()}

    pair.dump = {"configs": camel(DUMP["configs"])}
    assert pair.proxy() == (0, [])
    assert pair.trace("-X", "DELETE")[1]["proxy"]["verdict"] == "denied"


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("no json", "not JSON"),
        ("[]", "no Envoy configuration"),
        ('{"configs": [1, {"@type": "a.ListenersConfigDump", "static_listeners": [{"listener": 3}]}]}', "no inbound listener"),
        ('{"configs": [{"dynamic_listeners": "x", "@type": "ListenersConfigDump"}]}', "no inbound listener"),
    ],
)
def test_a_file_that_is_no_dump(content: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong use: status 2, the file, and what to give instead."""
    manifests, dump = tmp_path / "m.yaml", tmp_path / "dump.json"
    manifests.write_text(MANIFESTS)
    dump.write_text(content)
    assert main(["proxy", "-f", str(manifests), str(dump)]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert str(dump) in error


def test_a_proxy_of_a_workload_that_is_not_in_the_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is compared with somebody else's manifests."""
    manifests = tmp_path / "m.yaml"
    manifests.write_text(MANIFESTS.replace("name: cart\n", "name: basket\n").replace("app: cart", "app: basket"))
    assert main(["proxy", "-f", str(manifests), str(Path(__file__).parent / "proxy/method-not-allowed.json")]) == 2
    assert "proxy of `shop/cart`, and the input holds no such workload" in capsys.readouterr().err


def test_a_pod_is_asked_through_kubectl(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A pod is asked with `kubectl exec`, in the namespace of the called workload; no cluster with pods runs here, so a program that
    writes down its words stands for kubectl, and answers with the recorded dump."""
    kubectl, words = tmp_path / "kubectl", tmp_path / "words"
    kubectl.write_text(f'#!/bin/sh\necho "$@" >{words}\ncat {Path(__file__).parent / "proxy/method-not-allowed.json"}\n')
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    manifests = tmp_path / "m.yaml"
    manifests.write_text(MANIFESTS)
    asked = {"deploy/cart": "deploy/cart", "shop/cart-7d": "cart-7d", "cart-7d": "cart-7d"}
    for name, pod in asked.items():
        assert main(["trace", "-f", str(manifests), *CALL, "--proxy-config", name]) == 0
        assert words.read_text().strip() == f"exec {pod} -n shop -c istio-proxy -- pilot-agent request GET config_dump"
        assert "it lets the call through" in capsys.readouterr().out
    kubectl.write_text("#!/bin/sh\necho 'Error from server (Forbidden): pods is forbidden' >&2\nexit 1\n")
    assert main(["trace", "-f", str(manifests), *CALL, "--proxy-config", "cart-7d"]) == 2
    assert "no proxy in namespace shop that could be read" in capsys.readouterr().err
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert main(["trace", "-f", str(manifests), *CALL, "--proxy-config", "cart-7d"]) == 2
    assert "needs `kubectl` on the PATH, or a kubeconfig" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("domains", "clusters", "words"),
    [
        (["cart.shop", "cart"], ["outbound|80||cart.shop.svc.cluster.local"], None),
        (["*.shop"], ["outbound|80||cart.shop.svc.cluster.local"], None),
        (["*"], ["outbound|80||cart.shop.svc.cluster.local"], "no route for `cart.shop` on port 80 (yet)"),
        (["cart.shop"], ["other"], "routes to `outbound|80||cart.shop.svc.cluster.local`, and has no such cluster (yet)"),
    ],
)
def test_the_proxy_of_the_caller(domains: list[str], clusters: list[str], words: str | None, pair: Pair) -> None:
    """Of what the caller's proxy sends, it is looked at that the route and its cluster are there."""
    node = pair.dump["configs"][0]["bootstrap"]["node"]
    node["metadata"].update(WORKLOAD_NAME="frontend", NAME="frontend-1")
    route = {"match": {"prefix": "/"}, "route": {"cluster": "outbound|80||cart.shop.svc.cluster.local"}}
    table = {"name": "80", "virtual_hosts": [{"name": "h", "domains": domains, "routes": [route]}]}
    pair.dump["configs"] += [
        {"@type": "RoutesConfigDump", "dynamic_route_configs": [{"route_config": table}]},
        {"@type": "ClustersConfigDump", "dynamic_active_clusters": [{"cluster": {"name": name}} for name in clusters]},
    ]
    proxy = pair.trace("-X", "GET")[1]["proxy"]
    found = [message for message in _messages(proxy["differences"]) if "of the caller" in message]
    assert proxy["verdict"] is None
    assert len(found) == (1 if words else 0)
    assert all(words in message for message in found if words)
