//! Signing in with an application credential: into its one project, with its roles, and without anything that would outlive it.

use crate::caller::context;
use crate::devices;
use crate::errors::{Answer, Problem};
use crate::extract::Body;
use crate::session::{Session, begin, begun, check_name, check_secret, let_in};
use crate::state::State;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};
use cloud::identity::CredentialName;
use domain::codes::Code;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

/// An application credential, by its id, or by its name and whose it is. `Debug` shows no secret.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CredentialSignIn {
    /// Its id; absent: `name` and `username` say which it is.
    #[serde(default)]
    pub id: Option<String>,
    #[serde(default)]
    pub name: Option<String>,
    /// Whose it is.
    #[serde(default)]
    pub username: Option<String>,
    /// Name of the user's domain; default: `Default`.
    #[serde(default)]
    pub domain: Option<String>,
    #[schema(value_type = String, format = Password)]
    pub secret: SecretString,
}

impl CredentialSignIn {
    fn check(&self) -> Answer<()> {
        let parts = [("id", &self.id), ("name", &self.name), ("username", &self.username), ("domain", &self.domain)];
        parts.into_iter().try_for_each(|(field, part)| check_name(field, part.as_deref()))?;
        check_secret("secret", &self.secret)
    }

    fn named(&self) -> Answer<CredentialName> {
        let parts = [("name", &self.name), ("username", &self.username), ("domain", &self.domain)];
        if let Some(id) = &self.id {
            let beside = parts.into_iter().find(|(_, part)| part.is_some());
            return beside.map_or_else(|| Ok(CredentialName::Id(id.clone())), |(field, _)| Err(Problem::field(field, "must be absent beside id")));
        }
        let name = self.name.clone().ok_or_else(|| Problem::field("id", "is missing, and so is name"))?;
        let user_name = self.username.clone().ok_or_else(|| Problem::field("username", "is missing: whose it is"))?;
        Ok(CredentialName::Of { name, user_name, domain: self.domain.clone().unwrap_or_else(|| "Default".to_owned()) })
    }
}

/// Sign in with an application credential: into its own project, with its own roles. Tokens and kubeconfigs are not made so.
#[utoipa::path(tag = "session", request_body = CredentialSignIn, security(()), responses((status = 200, description = "Signed in; sets the session's cookie", body = Session)))]
#[post("/session/application-credential")]
pub async fn session_create_by_credential(state: Data<State>, request: HttpRequest, body: Body<CredentialSignIn>) -> Answer<HttpResponse> {
    let (wanted, _) = body.read()?;
    wanted.check()?;
    let credential = wanted.named()?;
    // Counted by itself: guessing somebody's password does not hold up their credentials. No name has an end of a line in it.
    let counted = match &credential {
        CredentialName::Id(id) => format!("\n{id}"),
        CredentialName::Of { name, user_name, domain } => format!("{}\n{name}", devices::person(domain, user_name)),
    };
    state.limiter.credential_sign_in(&counted, &context(&request).source)?;
    let token = state.identity.sign_in_by_credential(&credential, &wanted.secret).await;
    let asked = match &credential {
        CredentialName::Id(id) => ("", json!({ "application_credential": id })),
        CredentialName::Of { name, user_name, domain } => (user_name.as_str(), json!({ "application_credential": name, "domain": domain })),
    };
    let token = let_in(&state, &request, token, Vec::new(), Code::CredentialRefused, asked).await?;
    let own = token.info.project.clone().ok_or_else(|| Problem::new(Code::NoProject))?;
    Ok(begun(begin(&state, &request, None, token, vec![own]).await?))
}
