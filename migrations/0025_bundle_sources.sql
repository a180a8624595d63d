-- Where each node's bundle was fetched from: said with the source of whoever asks for it once more. Unknown: a program of before has handed it out.

ALTER TABLE node_credentials ADD COLUMN fetched_from text;
