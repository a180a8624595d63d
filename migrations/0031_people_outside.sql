-- Of programs that ask to be signed in, and of people who were put out.

-- The network that such a program came from, as limits count it. An older program of ours writes none: it is counted by its address.
ALTER TABLE device_sign_ins ADD COLUMN network text;

-- When operators last ended all that a person held: tokens of Keystone's that were issued before count no more.
CREATE TABLE person_cuts (
    user_id text PRIMARY KEY,
    at timestamptz NOT NULL
);
