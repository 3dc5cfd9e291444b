"""What is measured, by the names that `gristmill bench` has for it."""

ENQUEUE_ONE = "enqueue one by one, 1 at a time"
ENQUEUE_MANY = "enqueue one by one, 256 at a time"
ENQUEUE_BULK = "enqueue by 256"
DRAIN = "drain, 1 worker"
DRAIN_TWO = "drain, 2 workers"
FLOW = "enqueue and drain, 1 worker"
LATENCY_P50 = "latency, one job after another, p50"
LATENCY_P99 = "latency, one job after another, p99"

# Jobs a second that come whatever became of those before.
RATE = 1_000
RATE_P50 = f"latency, {RATE} jobs/s, p50"
RATE_P99 = f"latency, {RATE} jobs/s, p99"

# In the order of the tables.
ALL = [
    ENQUEUE_ONE,
    ENQUEUE_MANY,
    ENQUEUE_BULK,
    DRAIN,
    DRAIN_TWO,
    FLOW,
    LATENCY_P50,
    LATENCY_P99,
    RATE_P50,
    RATE_P99,
]

# What a person says to select them.
GROUPS = {
    "enqueue": [ENQUEUE_ONE, ENQUEUE_MANY, ENQUEUE_BULK],
    "drain": [DRAIN, DRAIN_TWO],
    "flow": [FLOW],
    "latency": [LATENCY_P50, LATENCY_P99, RATE_P50, RATE_P99],
}

# What one measurement tells, by what selects it; any other tells what selects it.
TELLS = {LATENCY_P50: [LATENCY_P50, LATENCY_P99], RATE_P50: [RATE_P50, RATE_P99]}

# Producers and batches that the names promise.
PRODUCERS = 256
BATCH = 256


def unit(measure: str) -> str:
    """Milliseconds or jobs a second."""
    return "ms" if measure in GROUPS["latency"] else "/s"
