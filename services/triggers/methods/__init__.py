"""How a shock is measured: one folder for each method, and the registry that knows them all."""
