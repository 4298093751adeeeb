"""Alerts of the Common Alerting Protocol, by severity, urgency and certainty."""
