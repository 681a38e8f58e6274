"""What the poller counts, for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

POLLS = Counter("gridhall_polls_total", "Terminals asked in a round", ["outcome"])
MISSED = Counter("gridhall_slots_missed_total", "Slots a connection was not asked in", ["why"])
LATE = Counter("gridhall_readings_late_total", "Missed intervals read late or from memory", ["how"])
STALE = Counter("gridhall_readings_stale_total", "Answers discarded: the lease had ended")
STORED = Counter("gridhall_readings_stored_total", "Readings that were new")
WAITING = Gauge("gridhall_poll_buffer", "Readings in memory, waiting for the next parcel")
SPOOL_BYTES = Gauge("gridhall_spool_bytes", "Bytes in the spool")
SPOOL_PARCELS = Gauge("gridhall_spool_parcels", "Parcels in the spool")
SPOOL_DAMAGED = Counter("gridhall_spool_damaged_bytes_total", "Bytes of the spool nobody can read")
SPOOL_HELD = Gauge("gridhall_spool_full", "1 while polling is held because the spool is full")
REFUSED = Counter("gridhall_parcels_refused_total", "Parcels the database refused, set aside")
FLUSH = Histogram("gridhall_flush_seconds", "Time to store a parcel")
ROUND = Histogram("gridhall_round_seconds", "Time a connection's round took")
ON_DEMAND = Histogram("gridhall_on_demand_seconds", "From asking to the stored answer")
CLOCKS = Counter("gridhall_clocks_checked_total", "Terminals' clocks looked at", ["found"])
SHARDS_OWNED = Gauge("gridhall_shards_owned", "Shards of connections this poller owns")
LEASE_MOVES = Counter("gridhall_lease_moves_total", "Shards taken, handed over or lost", ["how"])
