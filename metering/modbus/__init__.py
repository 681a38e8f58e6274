"""The only place that speaks to terminals."""
