//! Add-ons: when their objects are applied (again), and how they are.

use super::{Action, Draft, Kubernetes};
use crate::addons::{Addon, AddonState, AddonStatus};
use crate::codes::Code;
use crate::conditions::{Condition, ConditionStatus, ConditionType};
use time::Duration;

/// What was seen of a cluster's add-ons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddonsView {
    /// All that the specification wants was applied, and nobody changed it since.
    pub applied: bool,
    /// Why the last attempt to apply it failed, in the cluster's or the cloud's words.
    pub refused: Option<String>,
    pub workloads: Vec<WorkloadView>,
}

/// One Deployment or DaemonSet of an add-on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadView {
    pub addon: Addon,
    pub name: String,
    pub ready: u32,
    pub desired: u32,
    /// All pods are of the newest specification.
    pub current: bool,
}

impl Draft<'_> {
    /// What the add-ons need, once the cluster's API answers.
    pub(super) fn decide_addons(&mut self) {
        let (Some(view), false) = (self.observed.kubernetes.view(), self.deleting()) else { return };
        if let Some(addons) = &view.addons {
            if !addons.applied {
                self.actions.push(Action::ApplyAddons);
            }
            if self.active() && self.addon_states().iter().any(|a| a.name.essential() && a.state != AddonState::Ready) {
                self.look_again_in(Duration::seconds(1));
            }
        }
    }

    /// How each wanted add-on is: as seen now, or as it was when nobody looked.
    pub(super) fn addon_states(&self) -> Vec<AddonStatus> {
        let wanted = self.next.cluster.spec.addons.wanted();
        let old = |name: Addon| self.next.cluster.status.addons.iter().find(|a| a.name == name);
        let state = |name: Addon| match &self.observed.kubernetes {
            Kubernetes::Reachable(view) => match &view.addons {
                Some(seen) => status(name, seen),
                None => old(name).cloned().unwrap_or_else(|| unseen(name, AddonState::Pending)),
            },
            Kubernetes::Unreachable(why) => {
                let last = old(name).cloned().unwrap_or_else(|| unseen(name, AddonState::Unknown));
                AddonStatus { state: AddonState::Unknown, message: why.clone(), ..last }
            }
            Kubernetes::NotTried => old(name).cloned().unwrap_or_else(|| unseen(name, AddonState::Pending)),
        };
        wanted.into_iter().map(state).collect()
    }

    /// None for a cluster that has no add-ons of ours.
    pub(super) fn addons_healthy(&self) -> Option<Condition> {
        let states = self.addon_states();
        let r#type = ConditionType::AddonsHealthy;
        let names = |list: &[&AddonStatus]| list.iter().map(|a| a.name.as_str()).collect::<Vec<_>>().join(", ");
        let (essential, others): (Vec<&AddonStatus>, Vec<&AddonStatus>) = states.iter().partition(|a| a.name.essential());
        let unknown = essential.iter().any(|a| a.state == AddonState::Unknown);
        let of =
            |list: &[&'_ AddonStatus]| -> Vec<AddonStatus> { list.iter().filter(|a| a.state != AddonState::Ready).map(|a| (*a).clone()).collect() };
        let (broken, lacking) = (of(&essential), of(&others));
        let words = |list: &[AddonStatus]| {
            let why = list.iter().map(|a| a.message.as_str()).find(|m| !m.is_empty());
            let named = names(&list.iter().collect::<Vec<_>>());
            why.map_or(named.clone(), |why| format!("{named}: {why}"))
        };
        if states.is_empty() {
            return None;
        }
        Some(match () {
            () if unknown => self.condition(r#type, ConditionStatus::Unknown, "NoAnswer", "", Some(Code::ClusterApiDown)),
            () if !broken.is_empty() => self.condition(r#type, ConditionStatus::False, "NotReady", words(&broken), Some(Code::AddonsNotReady)),
            // A cluster can do its work without these.
            () if !lacking.is_empty() => self.condition(r#type, ConditionStatus::True, "OthersNotReady", words(&lacking), None),
            () => self.condition(r#type, ConditionStatus::True, "AllReady", "", None),
        })
    }
}

fn unseen(name: Addon, state: AddonState) -> AddonStatus {
    AddonStatus { name, state, ready: 0, desired: 0, message: String::new() }
}

fn status(name: Addon, seen: &AddonsView) -> AddonStatus {
    let parts: Vec<&WorkloadView> = seen.workloads.iter().filter(|w| w.addon == name).collect();
    let (ready, desired) = parts.iter().fold((0, 0), |(r, d), w| (r + w.ready, d + w.desired));
    let lagging = parts.iter().find(|w| !w.current || w.ready < w.desired || w.desired == 0);
    let message = match (lagging, &seen.refused) {
        (_, Some(why)) if parts.is_empty() => why.clone(),
        (Some(w), _) => format!("{}: {} of {} pods ready", w.name, w.ready, w.desired),
        _ => String::new(),
    };
    let state = match (parts.is_empty(), lagging) {
        (true, _) => AddonState::Pending,
        (false, Some(_)) => AddonState::Progressing,
        (false, None) => AddonState::Ready,
    };
    AddonStatus { name, state, ready, desired, message }
}
