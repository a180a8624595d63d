-- Operations, the work queue with its fenced leases, and how long steps took.

CREATE SEQUENCE operation_revisions;

CREATE TABLE operations (
    id uuid PRIMARY KEY,
    cluster_id uuid NOT NULL REFERENCES clusters ON DELETE CASCADE,
    kind text NOT NULL,
    state text NOT NULL,
    progress bigint NOT NULL DEFAULT 0,
    steps jsonb NOT NULL,
    fault jsonb,
    receipt jsonb,
    -- What was asked for, as far as the kind has it: pool, count before, count after.
    request jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    next_attempt_at timestamptz,
    deadline_at timestamptz NOT NULL,
    retries bigint NOT NULL DEFAULT 0,
    -- Rises with every write; numbers the events of a stream.
    revision bigint NOT NULL DEFAULT nextval('operation_revisions')
);
CREATE INDEX operations_of_cluster ON operations (cluster_id, created_at);
-- One change at a time.
CREATE UNIQUE INDEX operations_one_under_way ON operations (cluster_id) WHERE state IN ('pending', 'running', 'blocked');

-- One row a cluster: when it is due, and who holds it. Only the database's clock counts.
CREATE SEQUENCE fences;
CREATE TABLE work (
    cluster_id uuid PRIMARY KEY REFERENCES clusters ON DELETE CASCADE,
    run_at timestamptz NOT NULL DEFAULT now(),
    -- Rises with every wake-up, so that one that comes during a pass is not lost when the pass ends.
    wakes bigint NOT NULL DEFAULT 0,
    holder uuid,
    fence bigint NOT NULL DEFAULT 0,
    lease_until timestamptz
);
CREATE INDEX work_due ON work (run_at);

CREATE TABLE step_durations (
    operation_id uuid NOT NULL REFERENCES operations ON DELETE CASCADE,
    kind text NOT NULL,
    step text NOT NULL,
    seconds double precision NOT NULL,
    measured_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (operation_id, step)
);
CREATE INDEX step_durations_newest ON step_durations (kind, step, measured_at DESC);
