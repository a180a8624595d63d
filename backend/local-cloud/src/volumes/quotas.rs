//! Cinder's limits and quotas.

use super::volume::Volume;
use crate::http::{Answer, Call, Failure, Reply, number};
use crate::state::State;
use http::Method;
use serde_json::{Map, Value, json};

/// Those of single volume types have no limit unless the admin says otherwise.
const DEFAULTS: [(&str, i64); 6] =
    [("volumes", 10), ("snapshots", 10), ("gigabytes", 1000), ("backups", 10), ("backup_gigabytes", 1000), ("per_volume_gigabytes", -1)];

fn limit(state: &State, project: &str, resource: &str) -> i64 {
    let default = DEFAULTS.iter().find(|(name, _)| *name == resource).map_or(-1, |(_, default)| *default);
    state.volumes.quotas.get(project).and_then(|q| q.get(resource)).copied().unwrap_or(default)
}

fn used(state: &State, project: &str, resource: &str) -> i64 {
    // `volumes_ssd`: of that type.
    let (resource, kind) = match resource.split_once('_') {
        Some((of @ ("volumes" | "gigabytes"), kind)) => (of, Some(kind)),
        _ => (resource, None),
    };
    let of_kind = |v: &&Volume| kind.is_none_or(|kind| v.volume_type == kind);
    let volumes = state.volumes.volumes.values().filter(|v| v.project_id == project).filter(of_kind);
    let snapshots = state.volumes.snapshots.values().filter(|s| s.project_id == project);
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    match resource {
        "volumes" => count(volumes.count()),
        "snapshots" => count(snapshots.count()),
        "gigabytes" if kind.is_some() => volumes.map(|v| v.size).sum(),
        "gigabytes" => volumes.map(|v| v.size).sum::<i64>() + snapshots.map(|s| s.size).sum::<i64>(),
        _ => 0,
    }
}

fn over(message: String) -> Failure {
    Failure::new(413, "OverLimit", message)
}

fn check_count(state: &State, project: &str, resource: &str, error: &str) -> Result<(), Failure> {
    let limit = limit(state, project, resource);
    if limit >= 0 && used(state, project, resource) >= limit {
        return Err(over(format!("{error}: Maximum number of {resource} allowed ({limit}) exceeded for quota '{resource}'.")));
    }
    Ok(())
}

/// Whether the project may have one more volume of this size and type.
pub(super) fn check(state: &State, project: &str, size: i64, kind: &str) -> Result<(), Failure> {
    let largest = limit(state, project, "per_volume_gigabytes");
    if largest >= 0 && size > largest {
        return Err(over(format!("VolumeSizeExceedsLimit: Requested volume size {size}G is larger than maximum allowed limit {largest}G.")));
    }
    check_gigabytes(state, project, size)?;
    check_size(state, project, &format!("gigabytes_{kind}"), size)?;
    check_count(state, project, "volumes", "VolumeLimitExceeded")?;
    check_count(state, project, &format!("volumes_{kind}"), "VolumeLimitExceeded")
}

pub(super) fn check_snapshots(state: &State, project: &str, size: i64) -> Result<(), Failure> {
    check_gigabytes(state, project, size)?;
    check_count(state, project, "snapshots", "SnapshotLimitExceeded")
}

pub(super) fn check_gigabytes(state: &State, project: &str, more: i64) -> Result<(), Failure> {
    check_size(state, project, "gigabytes", more)
}

fn check_size(state: &State, project: &str, resource: &str, more: i64) -> Result<(), Failure> {
    let (limit, used) = (limit(state, project, resource), used(state, project, resource));
    if limit >= 0 && used + more > limit {
        return Err(over(format!(
            "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed {resource} quota. Requested {more}G, quota is {limit}G and {used}G has been consumed."
        )));
    }
    Ok(())
}

pub(super) fn limits(state: &State, call: &Call<'_>) -> Reply {
    let project = &call.actor.project_id;
    Reply::json(
        200,
        json!({"limits": {"rate": [], "absolute": {
            "maxTotalVolumes": limit(state, project, "volumes"), "totalVolumesUsed": used(state, project, "volumes"),
            "maxTotalVolumeGigabytes": limit(state, project, "gigabytes"), "totalGigabytesUsed": used(state, project, "gigabytes"),
            "maxTotalSnapshots": limit(state, project, "snapshots"), "totalSnapshotsUsed": used(state, project, "snapshots"),
            "maxTotalBackups": limit(state, project, "backups"), "totalBackupsUsed": 0,
            "maxTotalBackupGigabytes": limit(state, project, "backup_gigabytes"), "totalBackupGigabytesUsed": 0,
        }}}),
    )
}

pub(super) fn serve(state: &mut State, call: &Call<'_>, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (&Method::GET, [project]) => {
            if !call.actor.sees(project) {
                call.admin("volume_extension:quotas:show")?;
            }
            let usage = call.query("usage").is_some_and(|v| v.eq_ignore_ascii_case("true"));
            Ok(Reply::json(200, json!({"quota_set": view(state, project, usage)})))
        }
        (&Method::PUT, [project]) => {
            call.admin("volume_extension:quotas:update")?;
            let given = call.object("quota_set")?;
            for key in given.keys() {
                let value = number(given, key, -1)?;
                state.volumes.quotas.entry((*project).to_owned()).or_default().insert(key.clone(), value);
            }
            Ok(Reply::json(200, json!({"quota_set": view(state, project, false)})))
        }
        _ => Err(Failure::no_route()),
    }
}

fn view(state: &State, project: &str, usage: bool) -> Map<String, Value> {
    let one = |name: String| {
        let limit = limit(state, project, &name);
        let value = if usage { json!({"limit": limit, "in_use": used(state, project, &name), "reserved": 0, "allocated": 0}) } else { json!(limit) };
        (name, value)
    };
    let of_types = state.volumes.types.values().flat_map(|t| ["volumes", "gigabytes"].map(|of| format!("{of}_{}", t.name)));
    let mut set: Map<String, Value> = DEFAULTS.iter().map(|(name, _)| (*name).to_owned()).chain(of_types).map(one).collect();
    set.insert("id".into(), json!(project));
    set
}
