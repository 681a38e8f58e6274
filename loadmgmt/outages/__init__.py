"""Outages (停电): planned ones, and faults found from alerts, dark meters and calls."""
