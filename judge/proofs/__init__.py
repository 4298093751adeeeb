"""Proofs: pure functions from records to what was found, for and against.

Each finds something against an empty system, too: where nothing happened, nothing is proved.
"""
