"""To come."""

CHECKS = dict.fromkeys(["AuthorizationPolicy", "RequestAuthentication", "PeerAuthentication", "VirtualService", "DestinationRule"])
CHECKS |= dict.fromkeys(["Gateway", "Sidecar", "ServiceEntry", "WorkloadEntry", "WorkloadGroup"])
