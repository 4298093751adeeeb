"""The demonstration: two real shocks, a country of synthetic households, and the proofs."""
