"""Tickets (工单): repair and inspection, with their promise clocks."""
