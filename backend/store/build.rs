//! Cargo is told that the store's macros read the migrations and what is known of each query: on stable Rust they cannot say so themselves.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
    println!("cargo:rerun-if-changed=../../.sqlx");
}
