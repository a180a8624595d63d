-- A sweep is held while it runs, so that one process at a time looks through a project. Of an orphan is kept that it was asked to go, and what
-- the cloud said. Server groups carry no mark but their name.

ALTER TABLE sweeps ADD COLUMN held_until timestamptz;
ALTER TABLE orphans ALTER COLUMN resource_id DROP NOT NULL;
ALTER TABLE orphans ADD COLUMN called_at timestamptz, ADD COLUMN fault text;
