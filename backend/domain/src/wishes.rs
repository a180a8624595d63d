//! What a person may ask of a cluster that is there: what it makes of the specification, and how cancelling it puts that back.

use crate::clusters::{ClusterSpec, NodePoolSpec};
use crate::codes::Code;
use crate::ids::NodeId;
use crate::operations::OperationKind;
use crate::settings::{ApiAuditLevel, ApiExposure, KeyPair};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

/// One wish; it becomes one operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "wish", rename_all = "snake_case")]
pub enum Wish {
    Repair,
    ControlPlaneResize {
        count: u32,
    },
    /// `key_pair`: the one that the pool names, where the cluster does not have it yet.
    NodePoolCreate {
        pool: NodePoolSpec,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key_pair: Option<Box<KeyPair>>,
    },
    /// `remove`: nodes that shall leave first.
    NodePoolResize {
        pool: String,
        count: u32,
        remove: Vec<NodeId>,
    },
    NodePoolDelete {
        pool: String,
    },
    NodeReplace {
        node: NodeId,
    },
    NodeDrain {
        node: NodeId,
    },
    NodeReboot {
        node: NodeId,
    },
    CredentialRotate,
    EncryptionKeyRotate,
    ApiAuditChange {
        level: ApiAuditLevel,
    },
    ApiAccessChange {
        exposure: ApiExposure,
        allowed_cidrs: Vec<Ipv4Net>,
    },
}

/// What a wish put aside, for the case that it is cancelled.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "undo", rename_all = "snake_case")]
pub enum Undo {
    #[default]
    Nothing,
    ControlPlane {
        count: u32,
    },
    ApiAudit {
        level: ApiAuditLevel,
    },
    ApiAccess {
        exposure: ApiExposure,
        allowed_cidrs: Vec<Ipv4Net>,
    },
    /// The pool as it was; None: there was none. `key_pair`: the name of one that came with it.
    Pool {
        name: String,
        before: Option<Box<NodePoolSpec>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key_pair: Option<String>,
    },
}

impl Wish {
    #[must_use]
    pub fn kind(&self) -> OperationKind {
        match self {
            Self::Repair => OperationKind::ClusterRepair,
            Self::ControlPlaneResize { .. } => OperationKind::ControlPlaneResize,
            Self::NodePoolCreate { .. } => OperationKind::NodePoolCreate,
            Self::NodePoolResize { .. } => OperationKind::NodePoolResize,
            Self::NodePoolDelete { .. } => OperationKind::NodePoolDelete,
            Self::NodeReplace { .. } => OperationKind::NodeReplace,
            Self::NodeDrain { .. } => OperationKind::NodeDrain,
            Self::NodeReboot { .. } => OperationKind::NodeReboot,
            Self::CredentialRotate => OperationKind::CredentialRotate,
            Self::EncryptionKeyRotate => OperationKind::EncryptionKeyRotate,
            Self::ApiAuditChange { .. } => OperationKind::ApiAuditChange,
            Self::ApiAccessChange { .. } => OperationKind::ApiAccessChange,
        }
    }

    /// The nodes it names.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeId> {
        match self {
            Self::NodePoolResize { remove, .. } => remove.clone(),
            Self::NodeReplace { node } | Self::NodeDrain { node } | Self::NodeReboot { node } => vec![*node],
            _ => Vec::new(),
        }
    }

    /// Writes the wish into the specification; answers what it put aside. It was checked before by the rules of requests.
    pub fn apply(&self, spec: &mut ClusterSpec) -> Result<Undo, Code> {
        match self {
            Self::ControlPlaneResize { count } => {
                let before = std::mem::replace(&mut spec.control_plane.count, *count);
                Ok(Undo::ControlPlane { count: before })
            }
            Self::ApiAuditChange { level } => {
                let before = spec.audit.level;
                spec.audit = spec.audit.at(*level);
                Ok(Undo::ApiAudit { level: before })
            }
            Self::ApiAccessChange { exposure, allowed_cidrs } => {
                let exposure = std::mem::replace(&mut spec.api.exposure, *exposure);
                let allowed_cidrs = std::mem::replace(&mut spec.api.allowed_cidrs, allowed_cidrs.clone());
                Ok(Undo::ApiAccess { exposure, allowed_cidrs })
            }
            Self::NodePoolCreate { pool, key_pair } => {
                if spec.node_pools.iter().any(|p| p.name == pool.name) {
                    return Err(Code::PoolTaken);
                }
                let new = key_pair.as_deref().filter(|new| !spec.key_pairs.contains(new)).cloned();
                // Another of the name has come meanwhile: whose key it is cannot be told by the name any more.
                if new.as_ref().is_some_and(|new| spec.key_pairs.iter().any(|k| k.name == new.name)) {
                    return Err(Code::Conflict);
                }
                let named = new.as_ref().map(|k| k.name.clone());
                spec.key_pairs.extend(new);
                spec.node_pools.push(pool.clone());
                Ok(Undo::Pool { name: pool.name.clone(), before: None, key_pair: named })
            }
            Self::NodePoolResize { pool, count, .. } => {
                let found = spec.node_pools.iter_mut().find(|p| p.name == *pool).ok_or(Code::PoolMissing)?;
                let before = found.clone();
                found.count = *count;
                Ok(Undo::Pool { name: pool.clone(), before: Some(Box::new(before)), key_pair: None })
            }
            Self::NodePoolDelete { pool } => {
                let at = spec.node_pools.iter().position(|p| p.name == *pool).ok_or(Code::PoolMissing)?;
                Ok(Undo::Pool { name: pool.clone(), before: Some(Box::new(spec.node_pools.remove(at))), key_pair: None })
            }
            Self::Repair
            | Self::NodeReplace { .. }
            | Self::NodeDrain { .. }
            | Self::NodeReboot { .. }
            | Self::CredentialRotate
            | Self::EncryptionKeyRotate => Ok(Undo::Nothing),
        }
    }
}

impl Undo {
    /// Puts back what was there before; true: the specification has changed.
    pub fn apply(self, spec: &mut ClusterSpec) -> bool {
        match self {
            Self::Nothing => false,
            Self::ControlPlane { count } => std::mem::replace(&mut spec.control_plane.count, count) != count,
            Self::ApiAudit { level } => {
                let before = spec.audit.at(level);
                std::mem::replace(&mut spec.audit, before).level != level
            }
            Self::ApiAccess { exposure, allowed_cidrs } => {
                let changed = spec.api.exposure != exposure || spec.api.allowed_cidrs != allowed_cidrs;
                (spec.api.exposure, spec.api.allowed_cidrs) = (exposure, allowed_cidrs);
                changed
            }
            Self::Pool { name, before, key_pair } => {
                let at = spec.node_pools.iter().position(|p| p.name == name);
                match (at.and_then(|i| spec.node_pools.get_mut(i)), before) {
                    (Some(pool), Some(before)) => std::mem::replace(pool, (*before).clone()) != *before,
                    (None, Some(before)) => {
                        spec.node_pools.push(*before);
                        true
                    }
                    (Some(_), None) => {
                        spec.node_pools.retain(|p| p.name != name);
                        spec.key_pairs.retain(|k| Some(&k.name) != key_pair.as_ref());
                        true
                    }
                    (None, None) => false,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::requests::{Offers, complete};
    use crate::settings::ApiAuditSpec;

    fn pair(key: &str) -> KeyPair {
        KeyPair { name: "mine".into(), public_key: format!("ssh-ed25519 {key}") }
    }

    #[test]
    fn undoing_a_wish_gives_the_specification_before_it() {
        let before = complete(&crate::clusters::ClusterSpecRequest::default(), &Offers::default());
        let second = NodePoolSpec { name: "second".into(), ..before.node_pools[0].clone() };
        for wish in [
            Wish::ControlPlaneResize { count: 3 },
            Wish::NodePoolCreate { pool: second.clone(), key_pair: None },
            Wish::NodePoolCreate { pool: second, key_pair: Some(pair("AAAA").into()) },
            Wish::NodePoolResize { pool: "default".into(), count: 7, remove: vec![] },
            Wish::NodePoolDelete { pool: "default".into() },
            Wish::ApiAuditChange { level: ApiAuditLevel::Request },
            Wish::ApiAccessChange { exposure: ApiExposure::Restricted, allowed_cidrs: vec!["192.0.2.0/24".parse().unwrap()] },
        ] {
            let mut spec = before.clone();
            let undo = wish.apply(&mut spec).unwrap();
            assert_ne!(spec, before);
            assert!(undo.apply(&mut spec));
            assert_eq!(spec, before);
        }
        assert_eq!(Wish::NodePoolDelete { pool: "none".into() }.apply(&mut before.clone()), Err(Code::PoolMissing));
    }

    #[test]
    fn a_key_pair_that_the_cluster_has_already_stays_when_a_pool_with_it_is_undone() {
        let mut before = complete(&crate::clusters::ClusterSpecRequest::default(), &Offers::default());
        before.key_pairs = vec![pair("AAAA")];
        let pool = NodePoolSpec { name: "second".into(), key_pair: Some("mine".into()), ..before.node_pools[0].clone() };
        let mut spec = before.clone();
        let undo = Wish::NodePoolCreate { pool: pool.clone(), key_pair: Some(pair("AAAA").into()) }.apply(&mut spec).unwrap();
        assert_eq!((spec.key_pairs.len(), undo.apply(&mut spec)), (1, true));
        assert_eq!(spec, before);
        assert_eq!(Wish::NodePoolCreate { pool, key_pair: Some(pair("BBBB").into()) }.apply(&mut spec), Err(Code::Conflict));
    }

    #[test]
    fn a_cluster_remembers_the_audit_that_it_was_made_with() {
        use ApiAuditLevel as Level;
        for first in [Level::None, Level::Metadata] {
            let mut spec = ClusterSpec { audit: ApiAuditSpec { level: first, made_with: None }, ..ClusterSpec::default() };
            for level in [Level::Request, first, Level::Request, Level::Metadata, Level::None] {
                let before = spec.clone();
                let undo = Wish::ApiAuditChange { level }.apply(&mut spec).unwrap();
                assert_eq!((spec.audit.level, spec.audit.first()), (level, first));
                assert_eq!(spec.audit.made_with.is_some(), level != first, "what was never changed is told as before");
                let mut undone = spec.clone();
                assert_eq!((undo.apply(&mut undone), undone), (spec != before, before));
            }
        }
    }
}
