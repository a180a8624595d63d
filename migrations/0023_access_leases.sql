-- A process remembers whom kubeconfigs let in only while it has a lease, and forgets all when it hears that somebody may have been shut out. Whoever shuts
-- somebody out waits until all who have a lease have heard of it, or their lease is over.

CREATE TABLE access_leases (
    id uuid PRIMARY KEY,
    until timestamptz NOT NULL,
    -- The last of the calls to forget that it has obeyed.
    heard bigint NOT NULL
);
CREATE SEQUENCE access_changes;
-- From here on its last value is one that was given out.
SELECT setval('access_changes', 1);

-- Tells all processes at the end of the transaction, and the transaction's own that it has to wait for them.
CREATE FUNCTION access_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('kcs_access', '');
    PERFORM set_config('kcs.access_changed', 'yes', true);
    RETURN NULL;
END
$$;

-- Whatever the question for a kubeconfig's bearer reads (store, kubeconfigs.rs), except when it was last used or confirmed. One that is to be confirmed sooner is to be
-- looked at anew.
CREATE TRIGGER access_of_kubeconfigs AFTER UPDATE ON kubeconfigs FOR EACH ROW
    WHEN ((OLD.cluster_id, OLD.token_hash, OLD.user_id, OLD.user_name, OLD.user_domain, OLD.roles, OLD.narrowing, OLD.expires_at, OLD.revoked_at)
          IS DISTINCT FROM
          (NEW.cluster_id, NEW.token_hash, NEW.user_id, NEW.user_name, NEW.user_domain, NEW.roles, NEW.narrowing, NEW.expires_at, NEW.revoked_at)
          OR NEW.checked_at < OLD.checked_at)
    EXECUTE FUNCTION access_changed();
CREATE TRIGGER access_of_kubeconfigs_deleted AFTER DELETE ON kubeconfigs FOR EACH STATEMENT EXECUTE FUNCTION access_changed();
CREATE TRIGGER access_of_members AFTER INSERT OR UPDATE OR DELETE ON members FOR EACH STATEMENT EXECUTE FUNCTION access_changed();
CREATE TRIGGER access_of_member_places AFTER INSERT OR UPDATE OR DELETE ON member_places FOR EACH STATEMENT EXECUTE FUNCTION access_changed();
CREATE TRIGGER access_of_roles AFTER UPDATE OR DELETE ON roles FOR EACH STATEMENT EXECUTE FUNCTION access_changed();
CREATE TRIGGER access_of_tenants AFTER UPDATE ON tenants FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION access_changed();
CREATE TRIGGER access_of_clusters AFTER UPDATE OF tenant_id, status, spec, deleted_at ON clusters FOR EACH ROW
    WHEN ((OLD.tenant_id, OLD.status ->> 'api_endpoint', OLD.spec -> 'api' -> 'exposure', OLD.deleted_at)
          IS DISTINCT FROM (NEW.tenant_id, NEW.status ->> 'api_endpoint', NEW.spec -> 'api' -> 'exposure', NEW.deleted_at))
    EXECUTE FUNCTION access_changed();
