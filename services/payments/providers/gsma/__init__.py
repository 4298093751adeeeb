"""GSMA Mobile Money API 1.2, disbursements one at a time."""
