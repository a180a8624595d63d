//! Two engines on one Postgres share the work; one dies and the other takes over.
