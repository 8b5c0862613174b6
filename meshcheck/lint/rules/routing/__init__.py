"""8xx: from the outside to the first workload."""
