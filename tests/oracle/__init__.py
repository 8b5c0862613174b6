"""The oracle: what a call really gets, from Istio's own control-plane code and a real Envoy."""
