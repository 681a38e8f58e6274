"""The front desk of load management: what other rooms may ask."""
