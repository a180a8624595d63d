//! Counting what tenants have, and what their limits say to more of it.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::preflight::CheckLevel;
use crate::test_support::spec;
use proptest::prelude::*;

fn flavors() -> Vec<FlavorSize> {
    vec![FlavorSize { name: "m1.medium".to_owned(), vcpus: 2, ram_mib: 4096 }]
}

fn holdings(sizes: &[(u32, u32)]) -> Holdings {
    Holdings { clusters: sizes.iter().map(|(masters, workers)| (ClusterId::generate(), spec(*masters, *workers))).collect(), flavors: flavors() }
}

#[test]
fn masters_count_like_workers_and_so_do_their_volumes() {
    let have = holdings(&[(1, 2), (3, 0)]);
    let expected = [
        (Limited::Clusters, 2),
        (Limited::Nodes, 6),
        (Limited::Vcpus, 12),
        (Limited::MemoryGib, 24),
        (Limited::Volumes, 6),
        (Limited::VolumeGib, 120),
    ];
    assert_eq!(have.totals(), expected.into());
    let local = ClusterSpec { control_plane: crate::clusters::ControlPlaneSpec { root_volume_gib: 0, ..spec(1, 0).control_plane }, ..spec(1, 0) };
    let with_one_more = have.totals_with(None, &local);
    assert_eq!((with_one_more[&Limited::Nodes], with_one_more[&Limited::Volumes]), (7, 6), "a flavor's own disk is no volume");
    let (first, _) = have.clusters[0];
    assert_eq!(have.totals_with(Some(first), &spec(1, 5))[&Limited::Nodes], 9);
}

#[test]
fn a_shortage_says_of_what_and_by_how_much() {
    let have = holdings(&[(1, 2)]);
    let limits: Limits = [(Limited::Clusters, 5), (Limited::Nodes, 4), (Limited::Vcpus, 8)].into();
    let after = have.totals_with(None, &spec(1, 2));
    let (rows, checks) = limit_checks(&limits, &have.totals(), &after);
    assert_eq!(
        rows.iter().map(|r| (r.resource.as_str(), r.used, r.need)).collect::<Vec<_>>(),
        [("clusters", 1, 1), ("nodes", 3, 3), ("vcpus", 6, 6)]
    );
    let told: Vec<_> = checks.iter().map(|c| (c.key.as_str(), c.level, c.message.as_str())).collect();
    let nodes = ("tenant_quota", CheckLevel::Blocked, "nodes: 3 more needed, 3 of 4 used");
    let vcpus = ("tenant_quota", CheckLevel::Blocked, "vcpus: 6 more needed, 6 of 8 used");
    assert_eq!(told, [("cluster_quota", CheckLevel::Ok, ""), nodes, vcpus]);
    assert_eq!((checks[1].params["left"].clone(), checks[1].params["short"].clone()), (json!(1), json!(2)));
    assert_eq!((checks[1].code, checks[1].remedy.is_some()), (Some(Code::TenantQuota), true));
}

#[test]
fn a_tenants_own_limits_win_and_what_it_does_not_name_follows_the_installation() {
    let installation: Limits = [(Limited::Clusters, 20), (Limited::Nodes, 100)].into();
    let mut terms =
        TenantTerms { limits: [(Limited::Clusters, Some(3)), (Limited::Nodes, None), (Limited::Vcpus, Some(8))].into(), ..TenantTerms::default() };
    assert_eq!(terms.limits(&installation), [(Limited::Clusters, 3), (Limited::Vcpus, 8)].into());
    assert_eq!(TenantTerms::default().limits(&installation), installation);
    terms.raise(&installation, &[(Limited::Clusters, 5), (Limited::Nodes, 7), (Limited::Vcpus, 4), (Limited::Volumes, 9)].into());
    assert_eq!(terms.limits(&installation), [(Limited::Clusters, 5), (Limited::Vcpus, 8)].into(), "nothing is lowered, and no limit is made");
    let mut others = TenantTerms::default();
    others.raise(&installation, &[(Limited::Nodes, 200)].into());
    assert_eq!(others.limits, [(Limited::Nodes, Some(200))].into(), "the rest goes on following the installation");
}

#[test]
fn what_is_not_allowed_is_named_by_its_field_and_not_chosen_as_a_default() {
    let only = |name: &str| Some(BTreeSet::from([name.to_owned()]));
    let narrow = Allowed { flavors: only("m1.large"), versions: only("v1.35.6"), external_networks: only("other") };
    let checks = narrow.checks(&spec(1, 1));
    let fields: Vec<_> = checks.iter().map(|c| c.field.as_deref().unwrap()).collect();
    assert_eq!(fields, ["spec.version", "spec.control_plane.flavor", "spec.node_pools[0].flavor", "spec.network.external_network"]);
    assert!(checks.iter().all(|c| c.code == Some(Code::NotAllowed) && c.key == "allowed"));
    assert_eq!(checks[1].params["allowed"], json!(["m1.large"]));
    assert_eq!(narrow.growth_checks(&spec(1, 1), "default", "count")[0].field.as_deref(), Some("count"));
    assert_eq!(Allowed::default().checks(&spec(1, 1)).iter().map(|c| c.level).collect::<Vec<_>>(), [CheckLevel::Ok]);
    let offers = Offers { flavors: flavors(), external_networks: vec!["other".to_owned(), "public".to_owned()], versions: vec![] };
    let left = narrow.of(offers);
    assert_eq!((left.flavors.len(), left.external_networks), (0, vec!["other".to_owned()]));
}

proptest! {
    /// Whatever there is and whatever is wanted: what passes stays within every limit that it touches, and nothing is refused without need.
    #[test]
    fn what_passes_stays_within_its_limits(
        there in proptest::collection::vec((0u32..4, 0u32..6), 0..5),
        wanted in (0u32..4, 0u32..6),
        which in 0usize..6,
        limits in proptest::collection::btree_map(proptest::sample::select(Limited::ALL.to_vec()), 0u64..60, 0..6),
    ) {
        let have = holdings(&there);
        let changed = have.clusters.get(which).map(|(id, _)| *id);
        let (used, after) = (have.totals(), have.totals_with(changed, &spec(wanted.0, wanted.1)));
        let short = shortages(&limits, &used, &after);
        for (limited, limit) in &limits {
            let found = short.iter().find(|s| s.limited == *limited);
            prop_assert_eq!(found.is_some(), after[limited] > *limit && after[limited] > used[limited]);
            if let Some(found) = found {
                prop_assert_eq!(found.used + found.need, after[limited]);
            }
        }
    }
}
