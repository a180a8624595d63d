-- Tenants, clusters, their nodes and the ledger of their cloud objects.

CREATE TABLE tenants (
    id text PRIMARY KEY CHECK (id <> ''),
    name text NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE clusters (
    id uuid PRIMARY KEY,
    tenant_id text NOT NULL REFERENCES tenants,
    name text NOT NULL,
    spec jsonb NOT NULL,
    generation bigint NOT NULL DEFAULT 1,
    observed_generation bigint NOT NULL DEFAULT 0,
    status jsonb NOT NULL,
    -- The phase inside status, for filters.
    phase text NOT NULL GENERATED ALWAYS AS (status ->> 'phase') STORED,
    -- The operation under way, or the last one if it failed.
    operation_id uuid,
    -- Rises with every write of a person, so that a pass of the engine that loaded before it does not undo it.
    intent bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    delete_requested_at timestamptz,
    deleted_at timestamptz
);
CREATE UNIQUE INDEX clusters_name_is_unique ON clusters (tenant_id, name) WHERE deleted_at IS NULL;
CREATE INDEX clusters_of_tenant ON clusters (tenant_id, created_at);

CREATE TABLE nodes (
    id uuid PRIMARY KEY,
    cluster_id uuid NOT NULL REFERENCES clusters ON DELETE CASCADE,
    name text NOT NULL,
    role text NOT NULL,
    pool text NOT NULL,
    ordinal bigint NOT NULL,
    intent text NOT NULL,
    bootstrap jsonb NOT NULL,
    ready boolean,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    joined_at timestamptz,
    fault jsonb,
    UNIQUE (cluster_id, name)
);

CREATE TABLE ledger (
    id uuid PRIMARY KEY,
    cluster_id uuid NOT NULL REFERENCES clusters ON DELETE CASCADE,
    key text NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    state text NOT NULL,
    cloud_id text,
    address text,
    called_at timestamptz,
    empty_looks bigint NOT NULL DEFAULT 0,
    looked_at timestamptz,
    failures bigint NOT NULL DEFAULT 0,
    fault jsonb,
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX ledger_key_is_unique ON ledger (cluster_id, key) WHERE state <> 'gone';
CREATE INDEX ledger_of_cluster ON ledger (cluster_id);
