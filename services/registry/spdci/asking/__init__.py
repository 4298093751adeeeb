"""Our own side as a client: what we ask of partners, what they answer and tell, what is on its way."""
