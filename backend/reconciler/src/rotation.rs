//! The engine's side of replacing a cluster's cloud credential: a test call with the next one, and then it is the one in use.

use crate::act::{Refusal, local_fault};
use crate::journal::JournalError;
use crate::world::World;
use cloud::error::CloudErrorKind;
use domain::changes::Change;
use domain::codes::Code;
use domain::ledger::{LedgerRow, ResourceState};
use domain::plan::{CREDENTIAL, OLD_CREDENTIAL};

impl World<'_> {
    /// Safe to repeat at any point: the secret is put in its place before the rows say so, and both credentials work meanwhile.
    pub(crate) async fn switch_credential(&self, mut next: LedgerRow, mut old: LedgerRow) -> Result<Vec<Change>, JournalError> {
        if let Err(refusal) = self.prove(&next).await {
            let fault = match refusal {
                Refusal::Journal(error) => return Err(error),
                Refusal::Cloud(error) => {
                    // A credential that the cloud does not know is worth nothing: the next attempt makes another.
                    if error.kind == CloudErrorKind::Unauthenticated && next.failures >= 2 {
                        next.state = ResourceState::Deleting;
                        next.called_at = None;
                    }
                    error.fault(&next.name)
                }
                Refusal::Local(fault) => {
                    next.state = ResourceState::Deleting;
                    next.called_at = None;
                    fault
                }
            };
            next.failures += 1;
            next.fault = Some(fault);
            return Ok(vec![Change::Ledger(next)]);
        }
        old.key = OLD_CREDENTIAL.to_owned();
        (next.key, next.failures, next.fault) = (CREDENTIAL.to_owned(), 0, None);
        // The old one first: a key belongs to one row.
        Ok(vec![Change::Ledger(old), Change::Ledger(next)])
    }

    /// One harmless call to each service that the credential is for; then its secret is the one in use.
    async fn prove(&self, next: &LedgerRow) -> Result<(), Refusal> {
        let stored = self.next_credential().await?.filter(|c| Some(c.id.as_str()) == next.cloud_id.as_deref());
        let Some(credential) = stored else {
            return Err(Refusal::Local(local_fault(Code::CredentialInvalid, "the secret of the new credential is lost".to_owned(), &next.name)));
        };
        let cloud = self.services.identity.as_credential(&credential);
        cloud.network.external_networks().await?;
        cloud::if_there(cloud.volumes.volume_types().await)?;
        cloud.compute.flavors().await?;
        if let Some(service) = &cloud.load_balancers {
            service.load_balancers_by_name(&next.name).await?;
        }
        self.put_credential(&credential).await?;
        Ok(())
    }
}
