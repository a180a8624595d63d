-- The zone each node was planned for, the last; before it those that had no room for the nodes in whose place it is. Of nodes that programs of before
-- have planned it follows from their number.

ALTER TABLE nodes ADD COLUMN zones text[] NOT NULL DEFAULT '{}';
