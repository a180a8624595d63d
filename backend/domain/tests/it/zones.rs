//! Zones: the nodes of a pool are spread over those wished, whatever comes and goes.

use crate::world::World;
use domain::ids::NodeId;
use domain::nodes::NodeRole;
use domain::operations::{OperationKind, OperationState};
use proptest::prelude::*;

const ZONES: [&str; 3] = ["a", "b", "c"];

fn wished() -> Vec<String> {
    ZONES.map(str::to_owned).to_vec()
}

fn running(masters: u32, workers: u32) -> World {
    let mut world = World::new(masters, workers);
    world.work.cluster.spec.control_plane.zones = wished();
    world.work.cluster.spec.node_pools[0].zones = wished();
    assert_eq!(world.settle(), OperationState::Succeeded);
    world
}

/// Nodes in each zone.
fn spread(world: &World, role: NodeRole) -> [usize; 3] {
    let wished = wished();
    ZONES.map(|zone| world.work.nodes.iter().filter(|n| n.role == role && n.zone(&wished) == Some(zone)).count())
}

/// By how many nodes the fullest zone of workers has more than the emptiest.
fn uneven(world: &World) -> usize {
    let spread = spread(world, NodeRole::Worker);
    spread.iter().max().unwrap() - spread.iter().min().unwrap()
}

/// The first node in a zone.
fn node_in(world: &World, role: NodeRole, zone: &str) -> NodeId {
    let wished = wished();
    world.work.nodes.iter().find(|n| n.role == role && n.zone(&wished) == Some(zone)).unwrap().id
}

fn ids(world: &World, role: NodeRole) -> Vec<NodeId> {
    world.work.nodes.iter().filter(|n| n.role == role).map(|n| n.id).collect()
}

fn replace(world: &mut World, node: NodeId) -> OperationState {
    world.begin(OperationKind::NodeReplace, &[node]);
    world.settle()
}

/// Somebody lets one node go.
fn let_go(world: &mut World, node: NodeId) -> OperationState {
    world.resize(world.work.cluster.spec.node_pools[0].count - 1);
    world.work.operation.as_mut().unwrap().nodes = vec![node];
    world.settle()
}

fn sicken(world: &mut World, node: NodeId) {
    let name = world.work.nodes.iter().find(|n| n.id == node).unwrap().name.clone();
    world.sick.push(name);
    world.step();
}

#[test]
fn three_masters_in_three_zones_stay_one_in_each() {
    let mut world = running(3, 0);
    assert_eq!(spread(&world, NodeRole::Master), [1, 1, 1]);
    for zone in ["b", "a", "c", "b"] {
        let node = node_in(&world, NodeRole::Master, zone);
        assert_eq!(replace(&mut world, node), OperationState::Succeeded);
        assert_eq!(spread(&world, NodeRole::Master), [1, 1, 1]);
    }
    let sick = node_in(&world, NodeRole::Master, "b");
    sicken(&mut world, sick);
    assert_eq!(replace(&mut world, sick), OperationState::Succeeded);
    assert_eq!(spread(&world, NodeRole::Master), [1, 1, 1]);
    // All of them, three times over.
    world.now += time::Duration::minutes(1);
    world.begin(OperationKind::EncryptionKeyRotate, &[]);
    for _ in 0..1000 {
        if world.state().ended() {
            break;
        }
        world.step();
    }
    assert_eq!(world.state(), OperationState::Succeeded);
    assert_eq!(spread(&world, NodeRole::Master), [1, 1, 1]);
}

#[test]
fn nodes_that_programs_of_before_planned_count_where_their_number_put_them() {
    let mut world = running(3, 3);
    for node in &mut world.work.nodes {
        node.zones.clear();
    }
    for role in [NodeRole::Master, NodeRole::Worker] {
        assert_eq!(spread(&world, role), [1, 1, 1]);
        let node = node_in(&world, role, "b");
        assert_eq!(replace(&mut world, node), OperationState::Succeeded);
        assert_eq!(spread(&world, role), [1, 1, 1]);
    }
}

#[test]
fn the_fullest_zone_gives_and_the_emptiest_takes_after_what_is_unwell() {
    let mut world = running(1, 4);
    assert_eq!(spread(&world, NodeRole::Worker), [2, 1, 1]);
    let by_hand = node_in(&world, NodeRole::Worker, "b");
    assert_eq!(let_go(&mut world, by_hand), OperationState::Succeeded);
    assert_eq!(spread(&world, NodeRole::Worker), [2, 0, 1]);
    world.resize(2);
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert_eq!(spread(&world, NodeRole::Worker), [1, 0, 1]);
    world.resize(4);
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert_eq!(spread(&world, NodeRole::Worker), [2, 1, 1]);
    let sick = node_in(&world, NodeRole::Worker, "c");
    sicken(&mut world, sick);
    world.resize(3);
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert_eq!(spread(&world, NodeRole::Worker), [2, 1, 0]);
}

#[test]
fn pools_are_spread_each_by_itself() {
    let mut world = running(1, 1);
    let second = domain::clusters::NodePoolSpec { name: "second".into(), count: 1, ..world.work.cluster.spec.node_pools[0].clone() };
    world.work.cluster.spec.node_pools.push(second);
    world.begin(OperationKind::NodePoolCreate, &[]);
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert_eq!(spread(&world, NodeRole::Worker), [2, 0, 0]);
}

#[test]
fn case_26_a_zone_without_room_is_left_for_the_next_until_all_were_tried() {
    let mut world = running(1, 0);
    world.broken_servers = 2;
    world.resize(1);
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert_eq!(spread(&world, NodeRole::Worker), [0, 0, 1]);

    let mut world = running(1, 0);
    world.broken_servers = 3;
    world.resize(1);
    assert_eq!(world.settle(), OperationState::Failed);
    let operation = world.work.operation.as_mut().unwrap();
    operation.state = OperationState::Pending;
    operation.fault = None;
    operation.retries += 1;
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert_eq!(spread(&world, NodeRole::Worker), [1, 0, 0], "none had room: they are tried anew");

    // A master's successor is made once the one that failed is gone.
    let mut world = running(3, 0);
    world.broken_servers = 1;
    let node = node_in(&world, NodeRole::Master, "a");
    assert_eq!(replace(&mut world, node), OperationState::Succeeded);
    assert_eq!(spread(&world, NodeRole::Master), [0, 2, 1]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]
    #[test]
    fn whatever_comes_and_goes_zones_stay_as_even_as_a_hand_left_them(changes in proptest::collection::vec((0u32..5, 0u32..20), 1..8)) {
        let mut world = running(3, 4);
        let mut allowed = 1;
        for (kind, any) in changes {
            let (masters, workers) = (ids(&world, NodeRole::Master), ids(&world, NodeRole::Worker));
            let one_of = |nodes: &[NodeId]| nodes[any as usize % nodes.len()];
            if (2..5).contains(&kind) && workers.is_empty() {
                continue;
            }
            let state = match kind {
                0 => {
                    world.resize(any % 8);
                    world.settle()
                }
                1 => replace(&mut world, one_of(&masters)),
                2 => replace(&mut world, one_of(&workers)),
                3 => {
                    let sick = one_of(&workers);
                    sicken(&mut world, sick);
                    replace(&mut world, sick)
                }
                _ => let_go(&mut world, one_of(&workers)),
            };
            prop_assert_eq!(state, OperationState::Succeeded);
            prop_assert_eq!(spread(&world, NodeRole::Master), [1, 1, 1]);
            prop_assert!(kind == 4 || uneven(&world) <= allowed, "{:?} after {}", spread(&world, NodeRole::Worker), kind);
            allowed = uneven(&world).max(1);
        }
    }
}
