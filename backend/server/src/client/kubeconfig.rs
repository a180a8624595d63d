//! `kcs kubeconfig`: a kubeconfig for a cluster that holds no secret.

use super::address::Address;
use super::api::Api;
use super::credentials::Credentials;
use crate::cli::say;
use domain::ids::ClusterId;
use reqwest::Method;
use secrecy::SecretString;
use serde::Deserialize;
use std::error::Error;
use url::form_urlencoded::byte_serialize;

#[derive(clap::Args)]
pub struct Options {
    /// Name or id of the cluster
    cluster: String,
    /// Address that `kcs login` was given
    #[arg(long)]
    server: Address,
}

#[derive(Deserialize)]
struct Clusters {
    items: Vec<Cluster>,
}

#[derive(Deserialize)]
struct Cluster {
    id: ClusterId,
    name: String,
}

#[derive(Deserialize)]
struct Exec {
    kubeconfig: String,
}

/// Prints it.
///
/// # Errors
/// When nobody is signed in, or there is no such cluster.
pub async fn kubeconfig(options: Options) -> Result<(), Box<dyn Error>> {
    let credential = Credentials::own()?.of(&options.server)?;
    let api = Api::new(options.server.clone(), credential.ca_pem.as_deref())?;
    let id = match options.cluster.parse::<ClusterId>() {
        Ok(id) => id,
        Err(_) => by_name(&api, &credential.token, &options.cluster).await?,
    };
    let path = format!("/clusters/{id}/kubeconfig?server={}", encoded(options.server.as_str()));
    let answer: Exec = api.call(Method::GET, &path, Some(&credential.token), None).await?;
    say(&answer.kubeconfig)
}

/// Names are unique within a project, and the token is for one.
async fn by_name(api: &Api, token: &SecretString, name: &str) -> Result<ClusterId, Box<dyn Error>> {
    let path = format!("/clusters?limit=200&search={}", encoded(name));
    let found: Clusters = api.call(Method::GET, &path, Some(token), None).await?;
    let one = found.items.into_iter().find(|cluster| cluster.name == name);
    Ok(one.ok_or_else(|| format!("there is no cluster {name:?} in the project you signed in to"))?.id)
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}
