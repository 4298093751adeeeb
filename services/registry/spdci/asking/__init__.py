"""Our own side as a client: what partners are asked, and what they answer and tell."""
