"""The front desk of metering: what other rooms may ask."""
