//! A passage into a cluster for one request: as whom it is made, that it counts as open, and the way there; for a way into a pod also the connection that it will
//! have. None of it tells the cluster who comes or what for, so that it can be had while that is being written down.

use crate::errors::Answer;
use crate::sight::impersonation;
use crate::state::State;
use crate::streams::OpenStream;
use auth::Actor;
use domain::clusters::ClusterEndpoint;
use kube_access::gateway::{Answer as Forwarded, Collection};
use kube_access::{Gateway, GatewayRequest, Impersonation, OwnConnection};

pub struct Passage {
    who: Impersonation,
    open: OpenStream,
    gateway: Gateway,
    own: Option<OwnConnection>,
}

impl Passage {
    /// For a request that goes by connections which others use, too.
    ///
    /// # Errors
    /// When the person has no place there, too much is open, or the cluster has no address yet.
    pub async fn open(state: &State, actor: &Actor, cluster: &ClusterEndpoint) -> Answer<Self> {
        let who = impersonation(actor, cluster.id)?;
        let open = state.streams.open(&actor.user.id, Some(&cluster.id.to_string()))?;
        Ok(Self { who, open, gateway: gateway(state, cluster).await?, own: None })
    }

    /// For a way into a pod, which has a connection for itself.
    ///
    /// # Errors
    /// As `open`, and when the cluster's API is not there.
    pub async fn into_pod(state: &State, actor: &Actor, cluster: &ClusterEndpoint) -> Answer<Self> {
        let passage = Self::open(state, actor, cluster).await?;
        Ok(Self { own: Some(passage.gateway.dial().await?), ..passage })
    }

    /// Sends the request, which counts as open until the first of what comes back is dropped.
    ///
    /// # Errors
    /// When it may not be sent, or the cluster does not answer.
    pub async fn send(self, outgoing: GatewayRequest) -> Answer<(OpenStream, Forwarded)> {
        let answer = match self.own {
            Some(own) => self.gateway.forward_by(own, &self.who, outgoing).await?,
            None => self.gateway.forward(&self.who, outgoing).await?,
        };
        Ok((self.open, answer))
    }

    /// Asks for a list of these namespaces; None: nothing of the kind is in namespaces.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub async fn across(self, names: Vec<String>, list: Collection) -> Answer<Option<(OpenStream, Forwarded)>> {
        Ok(self.gateway.across(&self.who, names, list).await?.map(|answer| (self.open, answer)))
    }
}

/// The way there. The cluster's authorities are opened only where nobody went lately.
async fn gateway(state: &State, cluster: &ClusterEndpoint) -> Answer<Gateway> {
    if let Some(url) = &cluster.url
        && let Some(gateway) = state.kube.known_gateway(cluster.id, url).await
    {
        return Ok(gateway);
    }
    Ok(state.kube.gateway(&state.targets.of(state, cluster).await?).await?)
}
