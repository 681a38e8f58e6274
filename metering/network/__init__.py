"""Where a meter hangs: substation, feeder, transformer area, metering point."""
