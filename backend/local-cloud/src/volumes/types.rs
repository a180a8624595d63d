//! Volume types.

use crate::http::{Answer, Failure, Reply};
use crate::state::State;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct VolumeType {
    pub id: String,
    pub name: String,
    pub default: bool,
}

fn view(kind: &VolumeType) -> Value {
    json!({"id": kind.id, "name": kind.name, "is_public": true, "description": null, "extra_specs": {}, "qos_specs_id": null,
        "os-volume-type-access:is_public": true})
}

pub(super) fn serve(state: &State, rest: &[&str]) -> Answer {
    let types = &state.volumes.types;
    match rest {
        [] => Ok(Reply::json(200, json!({"volume_types": types.values().map(view).collect::<Vec<_>>()}))),
        ["default"] => {
            let missing = || Failure::missing("Default volume type can not be found.");
            Ok(Reply::json(200, json!({"volume_type": view(types.values().find(|t| t.default).ok_or_else(missing)?)})))
        }
        [id] => {
            let missing = || Failure::missing(format!("Volume type {id} could not be found."));
            Ok(Reply::json(200, json!({"volume_type": view(types.get(*id).ok_or_else(missing)?)})))
        }
        _ => Err(Failure::no_route()),
    }
}

/// The name of the type asked for by name or id; the default when none is.
pub(super) fn find(state: &State, asked: Option<&str>) -> Result<String, Failure> {
    let mut types = state.volumes.types.values();
    let found = match asked {
        Some(asked) => types.find(|t| t.id == asked || t.name == asked),
        None => types.find(|t| t.default),
    };
    let missing = || Failure::missing(format!("Volume type with name {} could not be found.", asked.unwrap_or("(default)")));
    found.map(|t| t.name.clone()).ok_or_else(missing)
}
