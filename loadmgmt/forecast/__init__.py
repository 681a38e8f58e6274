"""Load forecasts: history, models, vintages, and how well they did."""
