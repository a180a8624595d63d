//! Who may be in a project, asked by the service account: whether a person still may, for what they hold of ours that is no token of
//! Keystone's, and who all may; and whether the project itself is still there.

use crate::call::Call;
use crate::catalog::Service::Identity;
use crate::error;
use crate::identity::OpenStack;
use crate::lenient::or_default;
use cloud::Result;
use cloud::error::CloudErrorKind;
use cloud::identity::{Project, ProjectMember, ProjectState, Standing, WideScope};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct UserBody {
    user: Holder,
}

#[derive(Deserialize)]
struct ProjectBody {
    project: Holder,
}

#[derive(Deserialize)]
struct Holder {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    domain_id: String,
    enabled: Option<bool>,
}

#[derive(Deserialize)]
struct Domain {
    id: String,
    enabled: Option<bool>,
}

#[derive(Deserialize)]
struct Assignment {
    role: Role,
    /// A group's, where groups were not resolved.
    user: Option<Named>,
    scope: Option<Scope>,
}

#[derive(Deserialize)]
struct Scope {
    domain: Option<DomainRef>,
    system: Option<System>,
}

#[derive(Deserialize)]
struct System {
    all: Option<bool>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    domain: Option<DomainRef>,
}

#[derive(Deserialize)]
struct DomainRef {
    id: String,
}

#[derive(Deserialize)]
struct Role {
    name: Option<String>,
}

fn read_project(project_id: &str) -> Call<'_> {
    Call::get(Identity, "read project", &["projects", project_id])
}

/// Those in a scope, through groups included.
fn assignments(scope: &'static str, of: &str) -> Call<'static> {
    let call = Call::get(Identity, "list role assignments", &["role_assignments"]);
    call.query(scope, of).query("effective", "true").query("include_names", "true")
}

fn in_project(project_id: &str) -> Call<'static> {
    assignments("scope.project.id", project_id)
}

pub(crate) async fn members(cloud: &OpenStack, project_id: &str) -> Result<Vec<ProjectMember>> {
    let held: Vec<Assignment> = cloud.account().list(in_project(project_id), "role_assignments").await?;
    let mut members: BTreeMap<(String, String), ProjectMember> = BTreeMap::new();
    for assignment in held {
        let (Some(user), Some(role)) = (assignment.user, assignment.role.name) else { continue };
        let member = members.entry((user.name.clone(), user.id.clone())).or_insert_with(|| ProjectMember {
            user_id: user.id,
            user_name: user.name,
            user_domain_id: user.domain.map(|domain| domain.id).unwrap_or_default(),
            roles: Vec::new(),
        });
        member.roles.push(role);
    }
    Ok(members.into_values().collect())
}

/// Few, if any: asked for at once.
fn disabled_domains() -> Call<'static> {
    Call::get(Identity, "list disabled domains", &["domains"]).query("enabled", "false")
}

/// Whether one of these domains is disabled. People and projects in such a one stay enabled themselves, and keep their roles.
async fn in_disabled_domain<const N: usize>(cloud: &OpenStack, ids: [&str; N]) -> Result<bool> {
    match cloud.account().list::<Domain>(disabled_domains(), "domains").await {
        Err(error) if error.kind == CloudErrorKind::Denied => {
            tracing::warn!(%error, "whether domains of people and projects are enabled cannot be seen");
            Ok(false)
        }
        other => Ok(other?.iter().any(|domain| domain.enabled == Some(false) && ids.contains(&domain.id.as_str()))),
    }
}

pub(crate) async fn standing(cloud: &OpenStack, user_id: &str, project_id: &str) -> Result<Option<Standing>> {
    let account = cloud.account();
    let (user, project) = (Call::get(Identity, "read user", &["users", user_id]), read_project(project_id));
    let held = in_project(project_id).query("user.id", user_id);
    // Who is gone has no assignments to ask for, and is no error.
    let found = futures::try_join!(account.json::<UserBody>(&user), account.json::<ProjectBody>(&project));
    let (UserBody { user }, ProjectBody { project }) = match found {
        Err(error) if error.is_not_found() => return Ok(None),
        other => other?,
    };
    if user.enabled == Some(false) || project.enabled == Some(false) {
        return Ok(None);
    }
    let closed = in_disabled_domain(cloud, [user.domain_id.as_str(), project.domain_id.as_str()]);
    let (held, closed) = futures::try_join!(account.list::<Assignment>(held, "role_assignments"), closed)?;
    if closed {
        return Ok(None);
    }
    let roles = held.into_iter().filter_map(|assignment| assignment.role.name).collect();
    Ok(Some(Standing { roles, project: Project { id: project.id, name: project.name, domain_id: project.domain_id } }))
}

pub(crate) async fn wide_roles(cloud: &OpenStack, user_id: &str, scope: &WideScope) -> Result<Vec<String>> {
    let call = match scope {
        WideScope::Domain(id) => assignments("scope.domain.id", id),
        WideScope::System => assignments("scope.system", "all"),
    };
    let held: Vec<Assignment> = cloud.account().list(call.query("user.id", user_id), "role_assignments").await?;
    // A Keystone that does not know one of the filters answers with more: what somebody has elsewhere must not count as theirs here.
    let there = |held: &Scope| match scope {
        WideScope::Domain(id) => held.domain.as_ref().is_some_and(|domain| domain.id == *id),
        WideScope::System => held.system.as_ref().is_some_and(|system| system.all == Some(true)),
    };
    let theirs = |held: &Assignment| held.user.as_ref().is_some_and(|user| user.id == user_id) && held.scope.as_ref().is_some_and(there);
    Ok(held.into_iter().filter(theirs).filter_map(|assignment| assignment.role.name).collect())
}

pub(crate) async fn project_state(cloud: &OpenStack, project_id: &str) -> Result<ProjectState> {
    match cloud.account().json::<ProjectBody>(&read_project(project_id)).await {
        Ok(ProjectBody { project }) if project.enabled == Some(false) => Ok(ProjectState::Disabled),
        Ok(ProjectBody { project }) => {
            let closed = in_disabled_domain(cloud, [project.domain_id.as_str()]).await?;
            Ok(if closed { ProjectState::Disabled } else { ProjectState::Enabled })
        }
        Err(error) if error.is_not_found() => {
            sees_itself(cloud).await?;
            Ok(ProjectState::Gone)
        }
        Err(error) => Err(error),
    }
}

/// That a project is not there is believed of who sees the service account's own in the same way: another cloud's Keystone, or a proxy that speaks like
/// one, knows neither.
async fn sees_itself(cloud: &OpenStack) -> Result<()> {
    let grant = cloud.account().grant(None).await?;
    let own = grant.info.project.as_ref().map_or("", |project| project.id.as_str());
    let call = read_project(own);
    match cloud.account().json::<ProjectBody>(&call).await {
        Ok(ProjectBody { project }) if project.id == own => Ok(()),
        Err(error) if !error.is_not_found() => Err(error),
        _ => Err(error::unsent(&call, CloudErrorKind::Unavailable, "Keystone does not know the service account's own project either")),
    }
}
