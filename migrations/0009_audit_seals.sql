-- The audit log proves itself: soon after it was written each line is sealed, in order, into a chain whose key is kept outside the database.
-- A line also says which cluster and operation it is about, and which token or kubeconfig brought it.

ALTER TABLE audit ADD COLUMN cluster_id uuid, ADD COLUMN operation_id uuid, ADD COLUMN via_id uuid;
CREATE INDEX audit_newest_of_tenant ON audit (tenant_id, id);
CREATE INDEX audit_of_cluster ON audit (cluster_id, id) WHERE cluster_id IS NOT NULL;

-- Lines that wait for their seal.
CREATE TABLE audit_pending (
    audit_id bigint PRIMARY KEY
);
INSERT INTO audit_pending (audit_id) SELECT id FROM audit;

CREATE TABLE audit_seals (
    seq bigint PRIMARY KEY,
    audit_id bigint NOT NULL UNIQUE,
    mac bytea NOT NULL
);

-- One row: where the chain begins (what is before has been let go by its age) and where it ends.
CREATE TABLE audit_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    first_seq bigint NOT NULL,
    first_mac bytea NOT NULL,
    last_seq bigint NOT NULL,
    last_mac bytea NOT NULL,
    -- Over all of the above.
    proof bytea NOT NULL
);

-- Only what has outlived its time goes, and only when the program says so.
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('kcs.audit_retention', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only';
END
$$;
CREATE TRIGGER audit_seals_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seals
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

-- One row: up to which seal lines were handed on to where the operator wants them, and by whom that is being done now.
CREATE TABLE audit_forward (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    last_seq bigint NOT NULL DEFAULT 0,
    held_until timestamptz
);
INSERT INTO audit_forward DEFAULT VALUES;
