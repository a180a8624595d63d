-- Which list of keys for its Secrets a master booted with, noted when its bundle is given out. 0: the one that its cluster was made with, or none yet.
-- Programs of before give out nothing else.

ALTER TABLE nodes ADD COLUMN key_generation bigint NOT NULL DEFAULT 0 CHECK (key_generation >= 0);
