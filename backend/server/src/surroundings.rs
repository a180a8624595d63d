//! What KCS itself stands on, the cloud's services and the database: no cluster's API is at their addresses, whatever a tenant calls their network.

use kube_access::Destinations;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;
use tokio::net::lookup_host;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Names are looked up this often.
const LOOK: Duration = Duration::from_secs(60);

/// Keeps clusters' APIs away from where `hosts`, as they become known, and `others` are, until it is told to stop.
pub async fn keep_away(destinations: Destinations, mut hosts: watch::Receiver<BTreeSet<String>>, others: Vec<String>, token: CancellationToken) {
    let mut known: BTreeMap<String, Vec<IpAddr>> = BTreeMap::new();
    loop {
        let wanted: BTreeSet<String> = hosts.borrow_and_update().iter().chain(&others).cloned().collect();
        known.retain(|host, _| wanted.contains(host));
        for host in wanted {
            // What the name servers do not say is as it was.
            if let Ok(found) = lookup_host((host.clone(), 0)).await {
                known.insert(host, found.map(|socket| socket.ip().to_canonical()).collect());
            }
            destinations.keep_away(known.values().flatten().copied().collect());
        }
        tokio::select! {
            () = token.cancelled() => return,
            Ok(()) = hosts.changed() => (),
            () = tokio::time::sleep(LOOK) => (),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Ends when the one may be there and the other not any more.
    async fn until(destinations: &Destinations, good: &str, bad: &str) {
        let so = || destinations.may_be(good.parse().unwrap()) && !destinations.may_be(bad.parse().unwrap());
        let wait = async {
            while !so() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap();
    }

    #[tokio::test]
    async fn no_clusters_api_is_where_the_catalogue_or_the_database_is() {
        let (destinations, token) = (Destinations::default(), CancellationToken::new());
        let of = |host: &str| BTreeSet::from([host.to_owned()]);
        let (told, hosts) = watch::channel(of("203.0.113.5"));
        let kept = tokio::spawn(keep_away(destinations.clone(), hosts, vec!["2001:db8::5".to_owned()], token.clone()));
        until(&destinations, "203.0.113.6", "203.0.113.5").await;
        until(&destinations, "203.0.113.6", "2001:db8::5").await;
        told.send(of("203.0.113.6")).unwrap();
        until(&destinations, "203.0.113.5", "203.0.113.6").await;
        token.cancel();
        kept.await.unwrap();
    }
}
