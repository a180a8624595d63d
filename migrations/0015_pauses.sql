-- What operators hold back: the engine's passes over one cluster, or (no cluster) over all of them.

CREATE TABLE pauses (
    cluster_id uuid REFERENCES clusters ON DELETE CASCADE,
    key text GENERATED ALWAYS AS (COALESCE(cluster_id::text, 'all')) STORED PRIMARY KEY,
    reason text NOT NULL,
    paused_at timestamptz NOT NULL DEFAULT now(),
    paused_by text NOT NULL
);

-- What holds a cluster back, as JSON: the pause of all before its own.
CREATE FUNCTION pause_of(cluster uuid) RETURNS jsonb LANGUAGE sql STABLE
    RETURN (SELECT jsonb_build_object('everything', p.cluster_id IS NULL, 'reason', p.reason, 'since', p.paused_at, 'by', p.paused_by)
            FROM pauses p WHERE p.cluster_id IS NULL OR p.cluster_id = cluster ORDER BY p.cluster_id NULLS FIRST LIMIT 1);
