"""Restoring in one process or in two."""
