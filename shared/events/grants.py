"""What each service's role may do with the event log: append to it, and read it."""

GRANTS = {
    "event": "SELECT, INSERT",
    "epoch": "SELECT",
}
