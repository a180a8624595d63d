-- Which version of the program a process runs. Programs of before do not say.

ALTER TABLE key_rings ADD COLUMN version text NOT NULL DEFAULT '';
