"""The front desk of customers: what other rooms may ask."""
