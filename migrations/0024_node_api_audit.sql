-- At which level the API server of each master was told to write down calls, noted when its bundle is given out. Until now that could not be changed: all masters
-- of a cluster write at the level of its specification. Unknown: it was given nothing yet, or by a program of before.

ALTER TABLE nodes ADD COLUMN api_audit text;
UPDATE nodes n SET api_audit = COALESCE(c.spec #>> '{audit,level}', 'none') FROM clusters c WHERE c.id = n.cluster_id AND n.role = 'master';
