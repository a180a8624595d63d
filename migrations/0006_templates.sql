-- Templates of tenants' own; the operator's are in the configuration.

CREATE TABLE templates (
    id uuid PRIMARY KEY,
    tenant_id text NOT NULL REFERENCES tenants,
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    -- A specification as a request gives it: what is left out gets a default when a cluster is made of it.
    spec jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    UNIQUE (tenant_id, name)
);
