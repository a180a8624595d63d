//! Nothing behind the cloud: servers are records whose states change with time.

use crate::guests::VERSIONS;
use crate::machines::{Boot, Frontend, Machines};

#[derive(Clone, Copy, Debug, Default)]
pub struct NoMachines;

impl Machines for NoMachines {
    fn boot(&self, _: &Boot) -> Result<(), String> {
        Ok(())
    }
    fn start(&self, _: &str) -> Result<(), String> {
        Ok(())
    }
    fn stop(&self, _: &str) -> Result<(), String> {
        Ok(())
    }
    fn reboot(&self, _: &str, _: bool) -> Result<(), String> {
        Ok(())
    }
    fn delete(&self, _: &str) -> Result<(), String> {
        Ok(())
    }
    fn running(&self, _: &str) -> bool {
        true
    }
    fn console(&self, _: &str) -> String {
        String::new()
    }
    fn balance(&self, _: &[Frontend]) {}
    fn member_up(&self, _: &str) -> Option<bool> {
        None
    }
    fn network_down(&self, _: &str) {}
    fn images(&self) -> Vec<(String, u8, bool)> {
        VERSIONS.iter().map(|version| ((*version).to_owned(), 100, true)).collect()
    }
}
