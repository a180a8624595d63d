//! The portal process by itself, for tests; the product's binary has it as a hidden subcommand.

fn main() -> std::process::ExitCode {
    local_cloud::portal_main()
}
