-- What operators set over the configuration, while it runs: a row a revision, of which the newest counts. The secret among it is in `secrets`.

CREATE TABLE settings (
    revision bigint PRIMARY KEY CHECK (revision > 0),
    -- What is set; what is not named is as configured.
    document jsonb NOT NULL,
    -- Who set what is set, and when, by key.
    marks jsonb NOT NULL,
    -- Whether an authorization for handing on the audit log is set, and whether this revision gave it.
    authorized boolean NOT NULL,
    authorized_anew boolean NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by text NOT NULL,
    comment text NOT NULL,
    CHECK (authorized OR NOT authorized_anew)
);

CREATE FUNCTION settings_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'settings are append-only';
END
$$;
CREATE TRIGGER settings_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settings
    FOR EACH STATEMENT EXECUTE FUNCTION settings_are_append_only();
