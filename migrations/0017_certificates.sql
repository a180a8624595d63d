-- Certificates handed out for calls past the gate, straight to a cluster's API: who got which. Neither certificate nor key is kept.

CREATE TABLE certificates (
    id uuid PRIMARY KEY,
    cluster_id uuid NOT NULL REFERENCES clusters ON DELETE CASCADE,
    name text NOT NULL,
    -- SHA-256 of the certificate: by it the cluster's own audit log names what a call came with.
    fingerprint text NOT NULL,
    -- What the cluster takes the person for.
    cluster_group text NOT NULL,
    user_id text NOT NULL,
    user_name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX certificates_of_cluster ON certificates (cluster_id, created_at);
