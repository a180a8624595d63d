-- What operators tell everybody who is signed in: announcements, and maintenance windows, which are told of before they begin.

CREATE TABLE announcements (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('notice', 'maintenance')),
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    zh text NOT NULL,
    en text NOT NULL,
    starts_at timestamptz NOT NULL,
    -- Absent: until somebody ends it.
    ends_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    -- Somebody has ended it.
    ended_at timestamptz,
    ended_by text,
    CHECK (ends_at > starts_at),
    CHECK (kind = 'notice' OR ends_at IS NOT NULL),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
