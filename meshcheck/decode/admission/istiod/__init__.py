"""What Istio's webhook refuses of what the API server would accept, one file per kind.

Source: istio/istio:pkg/config/validation/validation.go, virtualservice.go and agent/validation.go.
"""
