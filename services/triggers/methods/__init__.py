"""How a shock is measured: pure functions, no database, no clock, no HTTP."""
