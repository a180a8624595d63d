-- Changing the keys that seal secrets: which rows are sealed with which key, which processes have which keys, and whose turn it is to seal anew.

-- Sealed bytes begin with one byte of format, the length of the key's id, and the id.
CREATE FUNCTION sealing_key(sealed bytea) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN length(sealed) < 2 THEN '' ELSE encode(substring(sealed FROM 3 FOR get_byte(sealed, 1)), 'escape') END;
CREATE INDEX secrets_sealing_key ON secrets (sealing_key(sealed));
CREATE INDEX sessions_sealing_key ON sessions (sealing_key(sealed));

-- The rings of the processes that run, by the ids of their keys. A key itself is never in the database.
CREATE TABLE key_rings (
    process uuid PRIMARY KEY,
    name text NOT NULL,
    active_key text NOT NULL,
    key_ids text[] NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now()
);

-- One process at a time seals anew what is sealed with another key than the active one.
CREATE TABLE rewraps (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    run_at timestamptz NOT NULL DEFAULT now(),
    held_until timestamptz,
    -- Rows that did not open at the last pass, and why: some of them.
    unopened text[] NOT NULL DEFAULT '{}'
);
INSERT INTO rewraps DEFAULT VALUES;
