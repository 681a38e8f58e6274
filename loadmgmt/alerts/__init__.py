"""Alerts: raised from readings, judged by rules, closed with their history."""
