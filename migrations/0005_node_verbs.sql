-- Repair, replacement and the other verbs of nodes: what an operation is about, since when its attempt runs, and since when a node is unwell or leaving.

ALTER TABLE operations
    ADD COLUMN nodes jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN resumed_at timestamptz;
ALTER TABLE nodes
    ADD COLUMN unready_since timestamptz,
    ADD COLUMN leaving_since timestamptz;
