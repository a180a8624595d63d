-- What the owners of a project gave people in it. Who has no row here has what Keystone's role is worth.

-- Roles that a project composed itself: looking, and these permissions.
CREATE TABLE roles (
    id uuid PRIMARY KEY,
    tenant_id text NOT NULL REFERENCES tenants,
    name text NOT NULL,
    permissions jsonb NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by text NOT NULL,
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, id)
);

CREATE TABLE members (
    tenant_id text NOT NULL REFERENCES tenants,
    user_id text NOT NULL,
    user_name text NOT NULL,
    user_domain text NOT NULL,
    -- In all of the project: a built-in role, or one of the project's own.
    role text CHECK (role IN ('guest', 'reader', 'member', 'owner')),
    role_id uuid,
    changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by text NOT NULL,
    PRIMARY KEY (tenant_id, user_id),
    FOREIGN KEY (tenant_id, role_id) REFERENCES roles (tenant_id, id),
    CHECK (num_nonnulls(role, role_id) = 1)
);

CREATE TABLE member_places (
    tenant_id text NOT NULL,
    user_id text NOT NULL,
    cluster_id uuid NOT NULL REFERENCES clusters,
    -- Absent: all of the cluster.
    namespace text,
    role text CHECK (role IN ('reader', 'member')),
    role_id uuid,
    FOREIGN KEY (tenant_id, user_id) REFERENCES members ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, role_id) REFERENCES roles (tenant_id, id),
    UNIQUE NULLS NOT DISTINCT (tenant_id, user_id, cluster_id, namespace),
    CHECK (num_nonnulls(role, role_id) = 1)
);
CREATE INDEX member_places_of_cluster ON member_places (cluster_id);

-- Rises when who was given namespaces of the cluster changes: the engine then writes the cluster's own rules anew.
ALTER TABLE clusters ADD COLUMN people_version bigint NOT NULL DEFAULT 1;

CREATE FUNCTION member_grade(role text, role_id uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN role_id IS NULL THEN jsonb_build_object('role', role)
                ELSE jsonb_build_object('permissions', (SELECT r.permissions FROM roles r WHERE r.id = role_id)) END
$$;

-- All that a person was given in a project; null: nothing was said.
CREATE FUNCTION member_rights(tenant text, person text) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'everywhere', member_grade(m.role, m.role_id),
        'places', COALESCE((
            SELECT jsonb_agg(jsonb_build_object('cluster', p.cluster_id, 'namespace', p.namespace, 'grade', member_grade(p.role, p.role_id)))
            FROM member_places p WHERE p.tenant_id = m.tenant_id AND p.user_id = m.user_id), '[]'))
    FROM members m WHERE m.tenant_id = tenant AND m.user_id = person
$$;
