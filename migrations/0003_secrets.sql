-- Sealed secrets and the hashes of tokens. No text of a secret is ever stored.

-- owner: cluster/<id>, tenant/<id> or node/<id>.
CREATE TABLE secrets (
    owner text NOT NULL,
    kind text NOT NULL,
    -- The cluster it goes with; a tenant's secrets stay.
    cluster_id uuid REFERENCES clusters ON DELETE CASCADE,
    sealed bytea NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner, kind)
);
CREATE INDEX secrets_of_cluster ON secrets (cluster_id);

CREATE TABLE node_credentials (
    node_id uuid PRIMARY KEY REFERENCES nodes ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE,
    expires_at timestamptz NOT NULL,
    fetched_at timestamptz,
    -- When somebody asked for the bundle a second time, or too late.
    alarm_at timestamptz
);

CREATE TABLE sessions (
    id_hash bytea PRIMARY KEY,
    csrf_hash bytea NOT NULL,
    -- The Keystone token and what else only the session's bearer may have.
    sealed bytea NOT NULL,
    user_id text NOT NULL,
    user_name text NOT NULL,
    user_domain text NOT NULL,
    project_id text NOT NULL,
    project_name text NOT NULL,
    projects jsonb NOT NULL,
    roles jsonb NOT NULL,
    operator boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    checked_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE kubeconfigs (
    id uuid PRIMARY KEY,
    cluster_id uuid NOT NULL REFERENCES clusters ON DELETE CASCADE,
    name text NOT NULL,
    token_hash bytea NOT NULL UNIQUE,
    user_id text NOT NULL,
    user_name text NOT NULL,
    user_domain text NOT NULL,
    roles jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    last_used_at timestamptz
);
CREATE INDEX kubeconfigs_of_cluster ON kubeconfigs (cluster_id);
