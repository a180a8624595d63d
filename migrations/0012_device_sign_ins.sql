-- Sign-ins that a program asked for and a person allows or denies in the browser. Both codes are known by hash only; none outlives its ten minutes.

CREATE TABLE device_sign_ins (
    device_hash bytea PRIMARY KEY,
    user_hash bytea NOT NULL UNIQUE,
    -- As the program said it of itself.
    client_name text NOT NULL,
    host_name text NOT NULL,
    -- The address it came from.
    source text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    polled_at timestamptz,
    -- Absent: nobody has answered.
    allowed boolean,
    -- Who allowed it, in which project, and for how long.
    approval jsonb,
    CHECK ((allowed IS TRUE) = (approval IS NOT NULL))
);
