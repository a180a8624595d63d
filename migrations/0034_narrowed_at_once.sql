-- One statement may revoke thousands of kubeconfigs and tokens that are narrowed to namespaces: each cluster hears of it once, not once for each of them. What had
-- expired already let nobody in before either, and is passed over.

-- The clusters of these ids, as many as are there.
CREATE FUNCTION narrowed_clusters_changed(named uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    found_id uuid;
BEGIN
    -- In one order: nobody waits for who waits for them.
    FOR found_id IN SELECT c.id FROM clusters c WHERE c.id = ANY (named) AND c.deleted_at IS NULL ORDER BY c.id FOR NO KEY UPDATE
    LOOP
        UPDATE clusters SET people_version = people_version + 1 WHERE id = found_id;
        UPDATE work SET run_at = LEAST(run_at, now()), wakes = wakes + 1 WHERE cluster_id = found_id;
        PERFORM pg_notify('kcs_work', found_id::text);
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION narrowed_changed(tenant text, named uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM narrowed_clusters_changed(ARRAY(SELECT c.id FROM clusters c WHERE c.tenant_id = tenant AND (named IS NULL OR c.id = ANY (named))));
END
$$;

-- Whether it opens namespaces now.
CREATE FUNCTION opens_namespaces(narrowing jsonb, revoked_at timestamptz, expires_at timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT narrowing ->> 'namespaces' IS NOT NULL AND revoked_at IS NULL AND expires_at > now()
$$;

-- Tokens first, here and below, as programs take these tables.
DROP TRIGGER narrowed_token_made ON api_tokens;
DROP TRIGGER narrowed_token_changed ON api_tokens;
DROP FUNCTION narrowed_token_changed();
DROP TRIGGER narrowed_kubeconfig_made ON kubeconfigs;
DROP TRIGGER narrowed_kubeconfig_changed ON kubeconfigs;
DROP FUNCTION narrowed_kubeconfig_changed();

-- What a token is narrowed to never changes.
CREATE FUNCTION narrowed_tokens_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed jsonb;
BEGIN
    -- Each kind once: the project, and the clusters that were named (an array) or not.
    IF TG_OP = 'INSERT' THEN
        changed := (SELECT jsonb_agg(DISTINCT jsonb_build_array(n.tenant_id, n.narrowing -> 'clusters'))
                    FROM new_rows n WHERE opens_namespaces(n.narrowing, n.revoked_at, n.expires_at));
    ELSE
        changed := (SELECT jsonb_agg(DISTINCT jsonb_build_array(n.tenant_id, n.narrowing -> 'clusters'))
                    FROM new_rows n JOIN old_rows o ON o.id = n.id
                    WHERE opens_namespaces(o.narrowing, o.revoked_at, o.expires_at) <> opens_namespaces(n.narrowing, n.revoked_at, n.expires_at)
                       OR o.roles <> n.roles AND opens_namespaces(n.narrowing, n.revoked_at, n.expires_at));
    END IF;
    IF changed IS NOT NULL THEN
        PERFORM narrowed_clusters_changed(ARRAY(
            SELECT DISTINCT c.id FROM jsonb_array_elements(changed) AS t (kind) JOIN clusters c ON c.tenant_id = t.kind ->> 0
            WHERE CASE jsonb_typeof(t.kind -> 1) WHEN 'array' THEN c.id IN (SELECT jsonb_array_elements_text(t.kind -> 1)::uuid) ELSE true END));
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER narrowed_tokens_made AFTER INSERT ON api_tokens REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION narrowed_tokens_changed();
CREATE TRIGGER narrowed_tokens_changed AFTER UPDATE ON api_tokens REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION narrowed_tokens_changed();

CREATE FUNCTION narrowed_kubeconfigs_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        changed := ARRAY(SELECT DISTINCT n.cluster_id FROM new_rows n WHERE opens_namespaces(n.narrowing, n.revoked_at, n.expires_at));
    ELSE
        changed := ARRAY(SELECT DISTINCT n.cluster_id FROM new_rows n JOIN old_rows o ON o.id = n.id
                         WHERE opens_namespaces(o.narrowing, o.revoked_at, o.expires_at) <> opens_namespaces(n.narrowing, n.revoked_at, n.expires_at)
                            OR (o.roles, o.narrowing) <> (n.roles, n.narrowing) AND opens_namespaces(n.narrowing, n.revoked_at, n.expires_at));
    END IF;
    PERFORM narrowed_clusters_changed(changed);
    RETURN NULL;
END
$$;
CREATE TRIGGER narrowed_kubeconfigs_made AFTER INSERT ON kubeconfigs REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION narrowed_kubeconfigs_changed();
CREATE TRIGGER narrowed_kubeconfigs_changed AFTER UPDATE ON kubeconfigs REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION narrowed_kubeconfigs_changed();
