-- How much a tenant may have in KCS, which flavors, versions and external networks it may use, and what it asks for beyond.

-- Who has no row here has what the configuration says, and may use everything.
CREATE TABLE tenant_limits (
    tenant_id text PRIMARY KEY REFERENCES tenants,
    -- By resource: a number, or null for no limit. What is not named follows the configuration.
    limits jsonb NOT NULL DEFAULT '{}',
    -- Names of flavors, versions, ids of external networks; what is not named is not narrowed.
    allowed jsonb NOT NULL DEFAULT '{}',
    changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by text NOT NULL
);

CREATE TABLE quota_requests (
    id uuid PRIMARY KEY,
    tenant_id text NOT NULL REFERENCES tenants,
    -- By resource: what the limit shall be.
    wanted jsonb NOT NULL,
    reason text NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'approved', 'declined', 'withdrawn')),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    decided_at timestamptz,
    decided_by text,
    -- What the operator had to say.
    words text NOT NULL DEFAULT '',
    CHECK ((state = 'pending') = (decided_at IS NULL))
);
CREATE INDEX quota_requests_of_tenant ON quota_requests (tenant_id, id);
-- One at a time: the next one takes into account what came of this.
CREATE UNIQUE INDEX quota_requests_one_pending ON quota_requests (tenant_id) WHERE state = 'pending';

-- Sizes of flavors as the cloud last told them, so that clusters can be counted whoever asks, and after a flavor is gone.
CREATE TABLE flavor_sizes (
    name text PRIMARY KEY,
    vcpus bigint NOT NULL,
    ram_mib bigint NOT NULL
);
