"""Accounts, sign-in, permissions, guard."""
