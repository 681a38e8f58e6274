"""The demo town's meters as the simulator needs them, and orders to the simulator."""
