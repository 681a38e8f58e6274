"""The rules that name an alert, one subject a file."""
