//! Nothing here: the tests of the house's plan are in `tests/`.
