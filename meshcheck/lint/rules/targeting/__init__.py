"""1xx: does the policy parse, and does it attach to what its author thinks?"""
