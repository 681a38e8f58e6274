"""Small extracts of real measurements that the simulator replays; the source stands in each header."""
