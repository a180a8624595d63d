//! What a cluster costs an hour, from the operator's price list. Exact: money is counted in millionths.

use crate::clusters::ClusterSpec;
use crate::needs::{Machine, has_ingress};
use crate::nodes::CONTROL_PLANE_POOL;
use crate::settings::ApiExposure;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};

/// An amount in millionths of the currency's unit; written as a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(pub u64);

impl Money {
    fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }
}

impl std::iter::Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self(amounts.fold(0, |sum, m| sum.saturating_add(m.0)))
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[allow(clippy::cast_precision_loss, reason = "exact far beyond any price")]
        serializer.serialize_f64(self.0 as f64 / 1e6)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        // Of what it is rounded to: it must be read again.
        if !(0.0..1e15).contains(&(number * 1e6).round()) {
            return Err(serde::de::Error::custom("must be a price of zero or more"));
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1e15")]
        Ok(Self((number * 1e6).round() as u64))
    }
}

/// The operator's prices, each for an hour.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// `EUR`, `CNY`, ...
    #[schema(min_length = 1, max_length = 20)]
    pub currency: String,
    /// By name of the flavor.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, f64>)]
    pub flavors: BTreeMap<String, Money>,
    /// Of one GiB, by volume type; `default` is for volumes without a type.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, f64>)]
    pub volume_gib: BTreeMap<String, Money>,
    #[serde(default)]
    #[schema(value_type = f64)]
    pub load_balancer: Money,
    #[serde(default)]
    #[schema(value_type = f64)]
    pub floating_ip: Money,
}

/// What something costs an hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Cost {
    pub currency: String,
    #[schema(value_type = f64)]
    pub per_hour: Money,
    pub lines: Vec<CostLine>,
    /// Flavors and volume types that the price list does not have: they are not in the sum.
    pub unpriced: Vec<String>,
}

/// One kind of thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CostLine {
    /// `server`, `volume`, `load_balancer`, `floating_ip`
    pub kind: &'static str,
    /// The flavor or volume type; empty for others.
    pub name: String,
    /// Servers, GiB, or pieces.
    pub count: u64,
    #[schema(value_type = f64)]
    pub per_hour: Money,
}

/// The cost of a whole cluster as asked for.
#[must_use]
pub fn cluster_cost(spec: &ClusterSpec, prices: &Prices) -> Cost {
    let (mut servers, mut gib): (BTreeMap<&str, u64>, BTreeMap<&str, u64>) = (BTreeMap::new(), BTreeMap::new());
    let pools = spec.node_pools.iter().map(|p| (p.name.as_str(), p.count));
    for (pool, count) in std::iter::once((CONTROL_PLANE_POOL, spec.control_plane.count)).chain(pools) {
        let (machine, count) = (Machine::of(spec, pool), u64::from(count));
        *servers.entry(machine.flavor).or_insert(0) += count;
        *gib.entry(machine.volume_type.unwrap_or("default")).or_insert(0) += count * u64::from(machine.root_volume_gib);
        for volume in machine.data_volumes {
            *gib.entry(volume.volume_type.as_deref().unwrap_or("default")).or_insert(0) += count * u64::from(volume.size_gib);
        }
    }
    let (mut lines, mut unpriced) = (Vec::new(), BTreeSet::new());
    for (kind, counts, list) in [("server", &servers, &prices.flavors), ("volume", &gib, &prices.volume_gib)] {
        for (name, count) in counts.iter().filter(|(_, count)| **count > 0) {
            match list.get(*name) {
                Some(price) => lines.push(CostLine { kind, name: (*name).to_owned(), count: *count, per_hour: price.times(*count) }),
                None => drop(unpriced.insert((*name).to_owned())),
            }
        }
    }
    let ingress = u64::from(has_ingress(spec));
    let addresses = u64::from(spec.api.exposure != ApiExposure::Private) + ingress;
    for (kind, count, price) in [("load_balancer", 1 + ingress, prices.load_balancer), ("floating_ip", addresses, prices.floating_ip)] {
        if count > 0 && price > Money(0) {
            lines.push(CostLine { kind, name: String::new(), count, per_hour: price.times(count) });
        }
    }
    let per_hour = lines.iter().map(|l| l.per_hour).sum();
    Cost { currency: prices.currency.clone(), per_hour, lines, unpriced: unpriced.into_iter().collect() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::clusters::{ControlPlaneSpec, NodePoolSpec};
    use crate::settings::DataVolume;

    #[test]
    fn a_cluster_costs_the_sum_of_its_parts_and_says_what_has_no_price() {
        let prices: Prices = serde_json::from_str(
            r#"{"currency":"EUR","flavors":{"m":0.05,"l":0.1},"volume_gib":{"default":0.0001,"ssd":0.0003},"load_balancer":0.02,"floating_ip":0.005}"#,
        )
        .unwrap();
        let data = DataVolume { name: "d".into(), size_gib: 100, volume_type: Some("ssd".into()), mount_path: None };
        let mut spec = ClusterSpec {
            control_plane: ControlPlaneSpec { count: 3, flavor: "l".into(), root_volume_gib: 20, ..ControlPlaneSpec::default() },
            node_pools: vec![
                NodePoolSpec {
                    name: "a".into(),
                    flavor: "m".into(),
                    count: 2,
                    root_volume_gib: 0,
                    data_volumes: vec![data],
                    ..NodePoolSpec::default()
                },
                NodePoolSpec { name: "b".into(), flavor: "gpu".into(), count: 1, root_volume_gib: 10, ..NodePoolSpec::default() },
            ],
            ..ClusterSpec::default()
        };
        let cost = cluster_cost(&spec, &prices);
        // 3 × 0.1 + 2 × 0.05 + 70 × 0.0001 + 200 × 0.0003 + 0.02 + 0.005
        assert_eq!(cost.per_hour, Money(492_000));
        assert_eq!(cost.unpriced, ["gpu"]);
        assert_eq!(serde_json::to_value(&cost).unwrap()["per_hour"], 0.492);
        // Another load balancer with an address.
        (spec.addons.ingress, spec.addons.cloud_controller) = (true, true);
        assert_eq!(cluster_cost(&spec, &prices).per_hour, Money(517_000));
    }
}
