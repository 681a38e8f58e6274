"""Extracts of real measurements that the simulator replays; each header names its source."""
