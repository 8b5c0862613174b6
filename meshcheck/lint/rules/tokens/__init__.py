"""5xx: tokens, CORS, external authorization."""
