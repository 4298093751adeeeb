"""A mobile-money provider to test against: GSMA calls, signed callbacks, and its own book."""
