-- When Keystone last confirmed the person behind a kubeconfig, and what it was narrowed to.

ALTER TABLE kubeconfigs ADD COLUMN checked_at timestamptz NOT NULL DEFAULT now(), ADD COLUMN narrowing jsonb NOT NULL DEFAULT '{}';
CREATE INDEX kubeconfigs_of_person ON kubeconfigs (user_id);

-- API tokens of people: known by hash only.
CREATE TABLE api_tokens (
    id uuid PRIMARY KEY,
    tenant_id text NOT NULL REFERENCES tenants,
    name text NOT NULL,
    token_hash bytea NOT NULL UNIQUE,
    user_id text NOT NULL,
    user_name text NOT NULL,
    user_domain text NOT NULL,
    -- The owner's when Keystone was last asked.
    roles jsonb NOT NULL,
    checked_at timestamptz NOT NULL DEFAULT now(),
    -- What it was narrowed to, and from where it may come.
    narrowing jsonb NOT NULL,
    cidrs jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    last_used_at timestamptz,
    last_used_from text
);
CREATE INDEX api_tokens_of_person ON api_tokens (tenant_id, user_id);
