"""Notices to customers (短信通知): templates, quiet hours, gateways, delivery."""
