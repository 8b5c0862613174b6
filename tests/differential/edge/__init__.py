"""What every comparison with a real ingress controller needs: a network of its own, an API server, pods, calls, and the judge."""
