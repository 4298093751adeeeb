"""Triggers: stores observations, judges them by versioned rules, opens activations."""
