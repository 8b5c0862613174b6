"""7xx: NetworkPolicy and its admin tiers, and where they meet the mesh."""
