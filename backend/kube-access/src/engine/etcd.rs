//! Members of etcd, by the etcdctl that is in each master's etcd container: KCS itself cannot reach etcd, only the cluster's API.

use super::Engine;
use crate::KubeError;
use serde::Deserialize;

const ETCDCTL: [&str; 9] = [
    "etcdctl",
    "--endpoints=https://127.0.0.1:2379",
    "--cacert=/etc/kubernetes/pki/etcd/ca.crt",
    "--cert=/etc/kubernetes/pki/etcd/server.crt",
    "--key=/etc/kubernetes/pki/etcd/server.key",
    "--command-timeout=8s",
    "--write-out=json",
    "member",
    "list",
];

/// One member; one that was added and never started has no name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct EtcdMember {
    #[serde(rename = "ID")]
    pub id: u64,
    #[serde(default)]
    pub name: String,
    #[serde(rename = "peerURLs", default)]
    pub peer_urls: Vec<String>,
    #[serde(rename = "isLearner", default)]
    pub learner: bool,
}

#[derive(Deserialize)]
struct Members {
    members: Vec<EtcdMember>,
}

impl EtcdMember {
    /// Whether it is that of the master of this name and address.
    fn is(&self, name: &str, address: Option<&str>) -> bool {
        let peer = address.map(|a| format!("https://{a}:2380"));
        self.name == name || peer.is_some_and(|peer| self.peer_urls.contains(&peer))
    }
}

impl Engine {
    /// All members, as the etcd of the master `through` knows them.
    pub async fn etcd_members(&self, through: &str) -> Result<Vec<EtcdMember>, KubeError> {
        let output = self.run(&format!("etcd-{through}"), "etcd", &ETCDCTL).await?;
        let members: Members = serde_json::from_slice(&output).map_err(|e| KubeError::BadAnswer(e.to_string()))?;
        Ok(members.members)
    }

    /// Takes out the member of a master, through the etcd of another. One that is not there is no error.
    pub async fn remove_etcd_member(&self, through: &str, name: &str, address: Option<&str>) -> Result<(), KubeError> {
        for member in self.etcd_members(through).await?.into_iter().filter(|m| m.is(name, address)) {
            let id = format!("{:x}", member.id);
            let mut command = ETCDCTL.to_vec();
            command.splice(8.., ["remove", id.as_str()]);
            self.run(&format!("etcd-{through}"), "etcd", &command).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_member_is_known_by_its_name_or_where_it_listens() {
        let text = r#"{"header":{"cluster_id":1},"members":[
            {"ID":10501334649042878790,"name":"cp-0","peerURLs":["https://10.0.0.5:2380"],"clientURLs":["https://10.0.0.5:2379"]},
            {"ID":7,"peerURLs":["https://10.0.0.6:2380"],"isLearner":true}]}"#;
        let members = serde_json::from_str::<Members>(text).unwrap().members;
        assert!(members[0].is("cp-0", None) && !members[0].is("cp-1", Some("10.0.0.6")));
        assert!(members[1].is("cp-1", Some("10.0.0.6")) && !members[1].is("cp-1", None) && members[1].learner);
    }
}
