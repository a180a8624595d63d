//! What is running here, for the console's first page: everybody may know it, signed in or not.

use crate::state::State;
use actix_web::get;
use actix_web::web::{Data, Json};
use serde::Serialize;

/// What kind of environment this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// A cloud on this machine, with real control planes and simulated containers.
    Dev,
    Production,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct About {
    /// Of the program.
    pub version: String,
    pub environment: Environment,
    /// Whether clusters can be opened to certificates past the gate.
    pub direct_access: bool,
    /// What a person should know before trusting what they see, in English.
    pub notes: Vec<String>,
}

/// What is running here.
#[utoipa::path(tag = "health", security(()), responses((status = 200, body = About)))]
#[get("/about")]
pub async fn about_get(state: Data<State>) -> Json<About> {
    let (environment, notes) = if state.settings.demo {
        (Environment::Dev, vec!["The control plane of clusters is real, their containers are simulated.".to_owned()])
    } else {
        (Environment::Production, Vec::new())
    };
    Json(About { version: env!("CARGO_PKG_VERSION").to_owned(), environment, direct_access: state.settings.direct_access, notes })
}
