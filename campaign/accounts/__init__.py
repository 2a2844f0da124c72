"""Organisers: their accounts, roles, log-ins and sessions, and the audit log."""
