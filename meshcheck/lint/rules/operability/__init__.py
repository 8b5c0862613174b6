"""9xx: Services, egress, operability, and the evidence itself."""
