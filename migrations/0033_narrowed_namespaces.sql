-- What comes with a kubeconfig or token that is narrowed to namespaces is let into just those by a cluster's own rules. Where it may have changed which namespaces these are,
-- or whether things are changed in them, the engine writes the rules anew, as where people are given namespaces. What merely expires it finds by itself.

-- The clusters of these ids, or (null) all of the project.
CREATE FUNCTION narrowed_changed(tenant text, named uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    found_id uuid;
BEGIN
    -- In one order: nobody waits for who waits for them.
    FOR found_id IN
        SELECT c.id FROM clusters c
        WHERE c.tenant_id = tenant AND c.deleted_at IS NULL AND (named IS NULL OR c.id = ANY (named)) ORDER BY c.id FOR NO KEY UPDATE
    LOOP
        UPDATE clusters SET people_version = people_version + 1 WHERE id = found_id;
        UPDATE work SET run_at = LEAST(run_at, now()), wakes = wakes + 1 WHERE cluster_id = found_id;
        PERFORM pg_notify('kcs_work', found_id::text);
    END LOOP;
END
$$;

-- Whether something of a person's, or (null) of anybody's, is narrowed to namespaces and good now.
CREATE FUNCTION holds_narrowed(tenant text, person text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM api_tokens k WHERE k.tenant_id = tenant AND (person IS NULL OR k.user_id = person)
                   AND k.narrowing ->> 'namespaces' IS NOT NULL AND k.revoked_at IS NULL AND k.expires_at > now())
        OR EXISTS (SELECT FROM kubeconfigs k JOIN clusters c ON c.id = k.cluster_id WHERE c.tenant_id = tenant AND (person IS NULL OR k.user_id = person)
                   AND k.narrowing ->> 'namespaces' IS NOT NULL AND k.revoked_at IS NULL AND k.expires_at > now())
$$;

CREATE FUNCTION narrowed_kubeconfig_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM narrowed_changed((SELECT c.tenant_id FROM clusters c WHERE c.id = NEW.cluster_id), ARRAY[NEW.cluster_id]);
    RETURN NULL;
END
$$;
CREATE TRIGGER narrowed_kubeconfig_made AFTER INSERT ON kubeconfigs FOR EACH ROW
    WHEN (NEW.narrowing ->> 'namespaces' IS NOT NULL)
    EXECUTE FUNCTION narrowed_kubeconfig_changed();
CREATE TRIGGER narrowed_kubeconfig_changed AFTER UPDATE ON kubeconfigs FOR EACH ROW
    WHEN ((OLD.narrowing ->> 'namespaces' IS NOT NULL OR NEW.narrowing ->> 'namespaces' IS NOT NULL)
          AND (OLD.roles, OLD.narrowing, OLD.expires_at, OLD.revoked_at) IS DISTINCT FROM (NEW.roles, NEW.narrowing, NEW.expires_at, NEW.revoked_at))
    EXECUTE FUNCTION narrowed_kubeconfig_changed();

CREATE FUNCTION narrowed_token_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    named uuid[];
BEGIN
    IF jsonb_typeof(NEW.narrowing -> 'clusters') = 'array' THEN
        named := ARRAY(SELECT jsonb_array_elements_text(NEW.narrowing -> 'clusters')::uuid);
    END IF;
    PERFORM narrowed_changed(NEW.tenant_id, named);
    RETURN NULL;
END
$$;
CREATE TRIGGER narrowed_token_made AFTER INSERT ON api_tokens FOR EACH ROW
    WHEN (NEW.narrowing ->> 'namespaces' IS NOT NULL)
    EXECUTE FUNCTION narrowed_token_changed();
CREATE TRIGGER narrowed_token_changed AFTER UPDATE ON api_tokens FOR EACH ROW
    WHEN (NEW.narrowing ->> 'namespaces' IS NOT NULL
          AND (OLD.roles, OLD.expires_at, OLD.revoked_at) IS DISTINCT FROM (NEW.roles, NEW.expires_at, NEW.revoked_at))
    EXECUTE FUNCTION narrowed_token_changed();

-- What was given to people: how much of what they hold is left of it.
CREATE FUNCTION narrowed_person_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    person members;
BEGIN
    IF TG_OP = 'DELETE' THEN person := OLD; ELSE person := NEW; END IF;
    IF holds_narrowed(person.tenant_id, person.user_id) THEN
        PERFORM narrowed_changed(person.tenant_id, NULL);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER narrowed_person_changed AFTER INSERT OR UPDATE OR DELETE ON members FOR EACH ROW EXECUTE FUNCTION narrowed_person_changed();

CREATE FUNCTION narrowed_role_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF holds_narrowed(NEW.tenant_id, NULL) THEN
        PERFORM narrowed_changed(NEW.tenant_id, NULL);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER narrowed_role_changed AFTER UPDATE ON roles FOR EACH ROW
    WHEN (OLD.permissions IS DISTINCT FROM NEW.permissions)
    EXECUTE FUNCTION narrowed_role_changed();
