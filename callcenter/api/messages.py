"""Notices to customers."""

from callcenter.messages.actions import opt_out, send
from callcenter.messages.books import message_book
from callcenter.messages.queries import deliveries

__all__ = ["deliveries", "message_book", "opt_out", "send"]
