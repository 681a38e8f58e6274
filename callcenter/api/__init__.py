"""The front desk of the call centre: what other rooms may ask."""
