"""4xx: is there an identity for the rule to match?"""
