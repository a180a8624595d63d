//! Nothing here: the stories are in `tests/e2e`.
