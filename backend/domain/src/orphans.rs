//! Orphans: cloud objects that carry a mark of ours, or the name of a cluster of ours that is gone, and that nobody looks after. Pure decisions; nothing
//! that is not proven ours is ever taken away.

use crate::ids::{ClusterId, ResourceId};
use crate::ledger::{LedgerRow, ResourceKind, ResourceState};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

/// An object that a look at a whole project found with a mark of ours, or with the name that a cluster has for its controllers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    pub kind: ResourceKind,
    pub cloud_id: String,
    pub name: String,
    /// What the mark says: cluster and ledger row. A server group has but its name, which tells no row; what controllers made has none.
    pub cluster: ClusterId,
    pub resource: Option<ResourceId>,
}

impl Marked {
    /// Whether a program in the cluster made it, not KCS.
    #[must_use]
    pub fn made_inside(&self) -> bool {
        self.resource.is_none() && self.kind != ResourceKind::ServerGroup
    }

    /// The row that tells of this object: the one its mark names, or, where a name is all there is, the one with its identity or at least its name.
    #[must_use]
    pub fn row<'r>(&self, rows: &'r [LedgerRow]) -> Option<&'r LedgerRow> {
        let Some(resource) = self.resource else {
            let named = rows.iter().filter(|r| r.cluster == self.cluster && r.kind == self.kind && r.name == self.name);
            return named.max_by_key(|r| (r.cloud_id.as_ref() == Some(&self.cloud_id), r.state != ResourceState::Gone, r.created_at));
        };
        rows.iter().find(|r| r.id == resource)
    }
}

/// Whose an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The ledger has recorded that it was taken away, yet it is there: ours, by kind, name and identity.
    Ours,
    /// Marked, but no row tells of it: another installation's, or a record that was lost.
    NoRow,
    /// Its row tells of another kind, name or identity: the mark was copied or changed.
    Contradicted,
    /// A program in a cluster made it that is not there, or not here: a Service's load balancer, its address or security group, a claim's volume.
    MadeInside,
}

impl Verdict {
    pub const ALL: [Self; 4] = [Self::Ours, Self::NoRow, Self::Contradicted, Self::MadeInside];

    /// As stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::NoRow => "no_row",
            Self::Contradicted => "contradicted",
            Self::MadeInside => "made_inside",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == text)
    }
}

/// Judges an object by the row its mark names. None: its cluster's engine looks after it.
#[must_use]
pub fn judge(object: &Marked, row: Option<&LedgerRow>) -> Option<Verdict> {
    let Some(row) = row else { return Some(Verdict::NoRow) };
    // A floating IP has no name, only an address.
    let named = match row.kind {
        ResourceKind::FloatingIp => row.address.as_ref().is_none_or(|address| *address == object.name),
        _ => row.name == object.name,
    };
    let told = row.cluster == object.cluster && row.kind == object.kind && named;
    let same = match &row.cloud_id {
        Some(id) => *id == object.cloud_id,
        // What was never asked for cannot have been made, and a name alone proves nothing.
        None => row.state != ResourceState::Gone || (row.called_at.is_some() && object.resource.is_some()),
    };
    match (row.state, told && same) {
        (_, false) => Some(Verdict::Contradicted),
        (ResourceState::Gone, true) => Some(Verdict::Ours),
        (_, true) => None,
    }
}

/// An orphan is taken away only after it was seen for this long: longer than any create of ours may take to show.
pub const PATIENCE: Duration = Duration::minutes(30);

/// What an operator has said of a doubtful one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    Delete,
    /// It is known and stays.
    Keep,
}

impl Decision {
    /// As stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Keep => "keep",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Delete, Self::Keep].into_iter().find(|d| d.as_str() == text)
    }
}

/// Whether an orphan may be taken away now: seen twice with time between, and proven ours or decided upon by an operator.
#[must_use]
pub fn may_go(verdict: Verdict, decision: Option<Decision>, looks: u32, first_seen: OffsetDateTime, now: OffsetDateTime) -> bool {
    let seen = looks >= 2 && now - first_seen >= PATIENCE;
    let allowed = match decision {
        Some(Decision::Keep) => false,
        Some(Decision::Delete) => true,
        None => verdict == Verdict::Ours,
    };
    seen && allowed
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn row(state: ResourceState) -> LedgerRow {
        let (cluster, kind) = (ClusterId::generate(), ResourceKind::Network);
        let row = LedgerRow::new(ResourceId::generate(), cluster, "network".into(), kind, "kcs-1-net".into(), OffsetDateTime::UNIX_EPOCH);
        LedgerRow { state, cloud_id: Some("n1".into()), ..row }
    }

    fn object(row: &LedgerRow) -> Marked {
        Marked { kind: row.kind, cloud_id: "n1".into(), name: row.name.clone(), cluster: row.cluster, resource: Some(row.id) }
    }

    #[test]
    fn only_what_kind_name_and_identity_prove_is_ours() {
        let gone = row(ResourceState::Gone);
        assert_eq!(judge(&object(&gone), Some(&gone)), Some(Verdict::Ours));
        let forged = [
            Marked { name: "kcs-1-net-2".into(), ..object(&gone) },
            Marked { cloud_id: "n2".into(), ..object(&gone) },
            Marked { kind: ResourceKind::Router, ..object(&gone) },
            Marked { cluster: ClusterId::generate(), ..object(&gone) },
        ];
        for object in forged {
            assert_eq!(judge(&object, Some(&gone)), Some(Verdict::Contradicted), "{object:?}");
        }
        for state in [ResourceState::Intended, ResourceState::Unknown, ResourceState::Known, ResourceState::Deleting, ResourceState::Ambiguous] {
            let live = row(state);
            assert_eq!(judge(&object(&live), Some(&live)), None, "the engine's own affair: {state:?}");
        }
    }

    #[test]
    fn an_object_that_shows_up_late_is_ours_only_if_it_was_asked_for() {
        let asked = LedgerRow { cloud_id: None, called_at: Some(OffsetDateTime::UNIX_EPOCH), ..row(ResourceState::Gone) };
        assert_eq!(judge(&object(&asked), Some(&asked)), Some(Verdict::Ours));
        let never = LedgerRow { called_at: None, ..asked };
        assert_eq!(judge(&object(&never), Some(&never)), Some(Verdict::Contradicted));
    }

    #[test]
    fn a_server_group_is_ours_by_identity_and_never_by_its_name() {
        let gone = LedgerRow { kind: ResourceKind::ServerGroup, ..row(ResourceState::Gone) };
        let group = Marked { resource: None, ..object(&gone) };
        let rows = [LedgerRow { id: ResourceId::generate(), cloud_id: Some("n0".into()), ..gone.clone() }, gone];
        assert_eq!(judge(&group, group.row(&rows)), Some(Verdict::Ours));
        let namesake = Marked { cloud_id: "n7".into(), ..group.clone() };
        assert_eq!(judge(&namesake, namesake.row(&rows)), Some(Verdict::Contradicted));
        let lost = [LedgerRow { cloud_id: None, called_at: Some(OffsetDateTime::UNIX_EPOCH), ..rows[0].clone() }];
        assert_eq!(judge(&group, group.row(&lost)), Some(Verdict::Contradicted));
        assert_eq!(judge(&group, group.row(&[])), Some(Verdict::NoRow));
    }

    #[test]
    fn case_45_an_object_whose_record_was_lost_waits_for_an_operator() {
        let lost = object(&row(ResourceState::Known));
        assert_eq!(judge(&lost, None), Some(Verdict::NoRow));
        let (seen, late) = (OffsetDateTime::UNIX_EPOCH, OffsetDateTime::UNIX_EPOCH + Duration::days(90));
        assert!(!may_go(Verdict::NoRow, None, 1_000, seen, late), "time alone decides nothing");
        assert!(!may_go(Verdict::Contradicted, None, 1_000, seen, late));
        assert!(!may_go(Verdict::MadeInside, None, 1_000, seen, late));
        assert!(may_go(Verdict::NoRow, Some(Decision::Delete), 2, seen, late));
        assert!(!may_go(Verdict::Ours, Some(Decision::Keep), 2, seen, late));
    }

    #[test]
    fn one_look_is_never_enough() {
        let seen = OffsetDateTime::UNIX_EPOCH;
        assert!(!may_go(Verdict::Ours, None, 1, seen, seen + PATIENCE));
        assert!(!may_go(Verdict::Ours, None, 2, seen, seen + PATIENCE - Duration::SECOND));
        assert!(may_go(Verdict::Ours, None, 2, seen, seen + PATIENCE));
    }
}
