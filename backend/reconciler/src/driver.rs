//! Shares the clusters among any number of workers and replicas: claim, heartbeat, pass, release. No leader.
