-- The network that a program which asks to be signed in came from, as limits count it. An older program writes none: it is counted by its address.

ALTER TABLE device_sign_ins ADD COLUMN network text;
