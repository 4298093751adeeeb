"""Food-security phases, by their level and their rise."""
