//! What a user must show besides a password: the rules, the seed of their authenticator, and the receipt of who has shown too little.

use super::tokens::Proof;
use super::{Factors, not_found};
use crate::clock::micros_z;
use crate::http::{Answer, Call, Failure, Reply, text, truth};
use crate::state::State;
use serde_json::{Map, Value, json};

/// How long what was shown counts, as Keystone's default has it.
const RECEIPT_MS: u64 = 300_000;

/// As users carry it among their options.
pub(super) fn view(factors: &Factors) -> Value {
    json!({"multi_factor_auth_enabled": factors.enabled, "multi_factor_auth_rules": factors.rules})
}

/// Takes over what is said of it in a user's options.
pub(super) fn take(factors: &mut Factors, given: &Map<String, Value>) -> Result<(), Failure> {
    let Some(options) = given.get("options").and_then(Value::as_object) else { return Ok(()) };
    factors.enabled = truth(options, "multi_factor_auth_enabled", factors.enabled)?;
    if let Some(rules) = options.get("multi_factor_auth_rules") {
        factors.rules =
            serde_json::from_value(rules.clone()).map_err(|_| Failure::bad(format!("Invalid input for field 'multi_factor_auth_rules': {rules}")))?;
    }
    Ok(())
}

/// Gives a user an authenticator. Other credentials than its seed are not kept here.
pub(super) fn create(state: &mut State, call: &Call<'_>) -> Answer {
    let given = call.object("credential")?;
    let (Some(user), Some(seed)) = (text(given, "user_id"), text(given, "blob")) else {
        return Err(Failure::bad("'blob' and 'user_id' are required properties"));
    };
    if call.actor.user_id != user {
        call.admin("identity:create_credential")?;
    }
    if text(given, "type") != Some("totp") {
        return Err(Failure::bad("this cloud keeps credentials of the type totp only"));
    }
    let id = state.hex_id();
    let owner = state.identity.users.get_mut(user).ok_or_else(|| not_found("user", user))?;
    owner.factors.seed = Some(seed.to_owned());
    let credential = json!({"id": id, "type": "totp", "blob": seed, "user_id": user, "project_id": null});
    Ok(Reply::json(201, json!({ "credential": credential })))
}

/// What Keystone answers to somebody whose proofs are right and too few; None: they are enough. Tokens and application credentials are.
pub(super) fn receipt(state: &mut State, proof: &Proof) -> Option<Reply> {
    let user = state.identity.users.get(&proof.user_id)?;
    let shown = |method: &String| proof.methods.contains(&method.as_str());
    let enough = user.factors.rules.iter().any(|rule| rule.iter().all(shown));
    let asked = proof.methods.iter().all(|method| matches!(*method, "password" | "totp"));
    if !asked || !user.factors.enabled || user.factors.rules.is_empty() || enough {
        return None;
    }
    let now = state.clock.now_ms();
    let whose = json!({"id": user.id, "name": user.name, "domain": state.identity.domain(&user.domain_id)});
    let receipt = json!({"methods": proof.methods, "user": whose, "issued_at": micros_z(now), "expires_at": micros_z(now + RECEIPT_MS)});
    let mut reply = Reply::json(401, json!({"receipt": receipt, "required_auth_methods": user.factors.rules}));
    reply.headers.push(("openstack-auth-receipt", format!("gAAAAAB{}", state.secret())));
    Some(reply)
}
