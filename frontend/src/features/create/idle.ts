// Connections to a cluster's API that say nothing.

/** Seconds a silent connection lives where nothing is said. */
export const IDLE_SECONDS = 3600;
