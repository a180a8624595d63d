//! A project's objects as its clusters look at them: each list is read once for all of them. A look that must be newer than something
//! waits for the next reading; whoever comes while one is under way shares that one, failures included.

use crate::act::API_PORT;
use cloud::compute::{Server, ServerGroup};
use cloud::error::CloudErrorKind;
use cloud::load_balancers::{LoadBalancer, LoadBalancers, Member, Outline, Tree};
use cloud::network::{FloatingIp, Net, Port, Router, SecurityGroup, Subnet};
use cloud::volumes::Volume;
use cloud::{Cloud, CloudError};
use domain::ids::TenantId;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use time::{Duration, OffsetDateTime};

/// What all servers of KCS's are called by.
const OURS: &str = "kcs-";
/// A look that nothing hangs on may be so old.
const SHARED: Duration = Duration::seconds(12);

/// How new a look has to be.
#[derive(Clone, Copy, Debug)]
pub struct Freshness {
    /// Of the pass.
    pub now: OffsetDateTime,
    /// Begun after this moment; None: a shared one will do.
    pub after: Option<Instant>,
}

type Read<T> = Result<Arc<Vec<T>>, CloudError>;

/// One list.
struct Shelf<T>(tokio::sync::Mutex<Held<T>>);

struct Held<T> {
    list: Option<(Instant, OffsetDateTime, Arc<Vec<T>>)>,
    /// The last failure, and when it ended.
    failure: Option<(Instant, CloudError)>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(tokio::sync::Mutex::new(Held { list: None, failure: None }))
    }
}

impl<T> Shelf<T> {
    async fn get(&self, freshness: Freshness, read: impl Future<Output = Result<Vec<T>, CloudError>>) -> Read<T> {
        let asked = Instant::now();
        let mut held = self.0.lock().await;
        if let Some((begun, taken, list)) = &held.list {
            let fits = match freshness.after {
                Some(after) => *begun > after,
                // Of passes that begin together the later may be the first to read.
                None => (freshness.now - *taken).abs() < SHARED,
            };
            if fits {
                return Ok(list.clone());
            }
        }
        // Another cluster's credential may be refused where this one's is not.
        let common = |e: &CloudError| !matches!(e.kind, CloudErrorKind::Unauthenticated | CloudErrorKind::Denied);
        if let Some((ended, failure)) = held.failure.as_ref().filter(|(_, failure)| common(failure))
            && *ended > asked
        {
            return Err(failure.clone());
        }
        let begun = Instant::now();
        match read.await {
            Ok(list) => {
                let list = Arc::new(list);
                *held = Held { list: Some((begun, freshness.now, list.clone())), failure: None };
                Ok(list)
            }
            Err(failure) => {
                held.failure = Some((Instant::now(), failure.clone()));
                Err(failure)
            }
        }
    }
}

/// All lists of one project.
#[derive(Default)]
struct Shelves {
    networks: Shelf<Net>,
    subnets: Shelf<Subnet>,
    routers: Shelf<Router>,
    ports: Shelf<Port>,
    security_groups: Shelf<SecurityGroup>,
    server_groups: Shelf<ServerGroup>,
    load_balancers: Shelf<LoadBalancer>,
    outlines: Shelf<Outline>,
    floating_ips: Shelf<FloatingIp>,
    volumes: Shelf<Volume>,
    servers: Shelf<Server>,
    /// Members by id, as they were when their pool was last changed at that moment.
    members: Mutex<BTreeMap<String, (Option<String>, Member)>>,
}

/// The lists of all projects, as far as they are remembered.
#[derive(Default)]
pub struct Estate(Mutex<HashMap<TenantId, Arc<Shelves>>>);

impl Estate {
    /// One cluster's view of its project's lists.
    #[must_use]
    pub fn lists<'c>(&self, tenant: &TenantId, cloud: &'c Cloud, freshness: Freshness) -> Lists<'c> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let shelves = all.entry(tenant.clone()).or_default().clone();
        Lists { shelves, cloud, freshness }
    }

    /// Forgets the lists of all other projects.
    pub(crate) fn keep(&self, tenants: &HashSet<TenantId>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|tenant, _| tenants.contains(tenant));
    }

    #[cfg(test)]
    pub(crate) fn has(&self, tenant: &TenantId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(tenant)
    }
}

/// The project's objects, newer than what was asked for.
pub struct Lists<'c> {
    shelves: Arc<Shelves>,
    cloud: &'c Cloud,
    freshness: Freshness,
}

/// Those of a list that are meant.
fn only<T: Clone>(list: &[T], mut is: impl FnMut(&T) -> bool) -> Vec<T> {
    list.iter().filter(|one| is(one)).cloned().collect()
}

/// Whole lists.
impl Lists<'_> {
    pub async fn networks(&self) -> Read<Net> {
        self.shelves.networks.get(self.freshness, self.cloud.network.networks()).await
    }

    pub async fn subnets(&self) -> Read<Subnet> {
        self.shelves.subnets.get(self.freshness, self.cloud.network.subnets()).await
    }

    pub async fn routers(&self) -> Read<Router> {
        self.shelves.routers.get(self.freshness, self.cloud.network.routers()).await
    }

    pub async fn ports(&self) -> Read<Port> {
        self.shelves.ports.get(self.freshness, self.cloud.network.ports()).await
    }

    pub async fn security_groups(&self) -> Read<SecurityGroup> {
        self.shelves.security_groups.get(self.freshness, self.cloud.network.security_groups_with_rules()).await
    }

    pub async fn all_server_groups(&self) -> Read<ServerGroup> {
        self.shelves.server_groups.get(self.freshness, self.cloud.compute.server_groups()).await
    }

    pub async fn floating_ips(&self) -> Read<FloatingIp> {
        self.shelves.floating_ips.get(self.freshness, self.cloud.network.floating_ips()).await
    }

    pub async fn volumes(&self) -> Read<Volume> {
        self.shelves.volumes.get(self.freshness, self.cloud.volumes.volumes()).await
    }

    /// Those whose names begin as ours do.
    pub async fn all_servers(&self) -> Read<Server> {
        self.shelves.servers.get(self.freshness, self.cloud.compute.servers(OURS)).await
    }

    pub async fn load_balancers(&self, service: &dyn LoadBalancers) -> Read<LoadBalancer> {
        self.shelves.load_balancers.get(self.freshness, service.load_balancers()).await
    }
}

/// What a cluster looks for in them.
impl Lists<'_> {
    pub async fn subnets_of(&self, network_id: &str) -> Result<Vec<Subnet>, CloudError> {
        Ok(only(&self.subnets().await?, |s| s.network_id == network_id))
    }

    pub async fn ports_of(&self, network_id: &str) -> Result<Vec<Port>, CloudError> {
        Ok(only(&self.ports().await?, |p| p.network_id == network_id))
    }

    pub async fn server_groups(&self) -> Result<Vec<ServerGroup>, CloudError> {
        Ok(only(&self.all_server_groups().await?, |g| g.name.starts_with(OURS)))
    }

    /// What is under a load balancer of a cluster's API. Its members are asked for only when one is new, or its pool was changed since.
    pub async fn tree(&self, service: &dyn LoadBalancers, id: &str) -> Result<Tree, CloudError> {
        let all = self.shelves.outlines.get(self.freshness, service.outlines(API_PORT)).await?;
        let Some(outline) = all.iter().find(|outline| outline.load_balancer_id == id) else { return Ok(Tree::default()) };
        if let Some(members) = self.known(outline) {
            return Ok(Tree { members, ..outline.tree.clone() });
        }
        let tree = service.tree(id, API_PORT).await?;
        let mut known = self.shelves.members.lock().unwrap_or_else(PoisonError::into_inner);
        let here: std::collections::HashSet<&String> = all.iter().flat_map(|outline| &outline.member_ids).collect();
        known.retain(|id, _| here.contains(id));
        known.extend(tree.members.iter().map(|member| (member.id.clone(), (outline.changed.clone(), member.clone()))));
        Ok(tree)
    }

    fn known(&self, outline: &Outline) -> Option<Vec<Member>> {
        let known = self.shelves.members.lock().unwrap_or_else(PoisonError::into_inner);
        let unchanged = |id: &String| known.get(id).filter(|(changed, _)| *changed == outline.changed).map(|(_, member)| member.clone());
        outline.member_ids.iter().map(unchanged).collect()
    }

    pub async fn servers(&self, prefix: &str) -> Result<Vec<Server>, CloudError> {
        Ok(only(&self.all_servers().await?, |s| s.name.starts_with(prefix)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::cell::Cell;

    /// How often a list is read by looks at these moments, one after the other.
    async fn reads(milliseconds: &[i64]) -> u32 {
        let (shelf, reads) = (Shelf::<u8>::default(), Cell::new(0));
        for at in milliseconds {
            let now = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000) + Duration::milliseconds(*at);
            let read = async {
                reads.set(reads.get() + 1);
                Ok(Vec::new())
            };
            shelf.get(Freshness { now, after: None }, read).await.unwrap();
        }
        reads.get()
    }

    #[tokio::test]
    async fn passes_that_begin_together_share_a_list_whichever_of_them_reads_it() {
        assert_eq!(reads(&[0, 7, 20, 11_900]).await, 1);
        assert_eq!(reads(&[20, 7, 35, 0, 28]).await, 1);
        assert_eq!(reads(&[0, 12_000, 30_000]).await, 3);
        assert_eq!(reads(&[30_000, 0]).await, 2, "a clock that was set back");
    }
}
