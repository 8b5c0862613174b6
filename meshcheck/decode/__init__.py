"""Plain values into the model, one file per family of kinds; what a cluster would refuse never becomes part of the World.

registry.py       which decoder a kind has
metadata.py       what all kinds share
admission/        what the API server and Istio's webhook refuse, and fields that no schema knows
"""
