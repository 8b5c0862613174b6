#!/usr/bin/env bash
# A scenario in a real cluster with a real Istio: what the call gets, what meshcheck says of it, and what the proxy has.
# Runs in CI only (.github/workflows/ci.yml): it needs a cluster with Istio, and changes it.
set -euo pipefail
cd "$(dirname "$0")/../.."
manifests=manifests/scenarios/method-not-allowed/manifests.yaml

# the scenario's images do not exist: a plain web server takes their place
kubectl apply -f "$manifests"
for name in cart frontend; do
  kubectl -n shop patch deployment "$name" --type=json -p '[
    {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "docker.io/library/python:3.13-slim"},
    {"op": "add", "path": "/spec/template/spec/containers/0/command", "value": ["python", "-m", "http.server", "8080"]}]'
done
kubectl -n shop rollout status deployment/cart --timeout=5m
kubectl -n shop rollout status deployment/frontend --timeout=5m

kubectl -n shop exec deployment/cart -c istio-proxy -- pilot-agent request GET config_dump >cart.json
meshcheck proxy -f "$manifests" cart.json
meshcheck proxy -f "$manifests" deployment/cart -n shop

ask='import sys, urllib.request as r, urllib.error as e
try: print(r.urlopen(r.Request("http://cart.shop/api/items", method=sys.argv[1]), timeout=10).status)
except e.HTTPError as error: print(error.code)'
for method in GET DELETE; do
  got=$(kubectl -n shop exec deployment/frontend -- python -c "$ask" "$method")
  status=0
  meshcheck trace -f "$manifests" --from shop/frontend --to http://cart.shop/api/items -X "$method" --proxy-config cart.json || status=$?
  echo "$method: the call gets $got; meshcheck ends with $status"
  if [[ $got == 403 && $status != 1 ]] || [[ $got != 403 && $status != 0 ]]; then exit 1; fi
done
