"""What every adapter of a provider promises, tried against something that plays its provider."""
