-- Every row of `work` is written several times a minute, and claims read all of them: what was written before is in their way. Without an index on
-- what changes, and with room on each page, a row is written in place.
DROP INDEX work_due;
ALTER TABLE work SET (fillfactor = 50);
