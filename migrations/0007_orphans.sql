-- Objects in the cloud that carry a mark of ours and that nobody looks after, and when each tenant's project was last looked through for them.

CREATE TABLE sweeps (
    tenant_id text PRIMARY KEY REFERENCES tenants,
    run_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE orphans (
    id uuid PRIMARY KEY,
    tenant_id text NOT NULL REFERENCES tenants,
    kind text NOT NULL,
    cloud_id text NOT NULL,
    name text NOT NULL,
    cluster_id uuid NOT NULL,
    resource_id uuid NOT NULL,
    verdict text NOT NULL,
    looks bigint NOT NULL DEFAULT 1,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    decision text,
    decided_by text,
    decided_at timestamptz,
    UNIQUE (tenant_id, kind, cloud_id)
);
