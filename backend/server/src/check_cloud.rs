//! `kcs check-cloud`: what the configured cloud has of what KCS needs, and what to do about what is missing. It makes nothing, but for a
//! service user and an application credential where a tenant's project is named: only those prove that clusters will get theirs.

use crate::config::Config;
use crate::{clouds_yaml, dev_config, serve};
use cloud::compute::{Flavor, Limit, Zone};
use cloud::error::CloudErrorKind;
use cloud::identity::{Identity, SignedIn, Token, WideScope};
use cloud::images::Image;
use cloud::{Cloud, CloudError};
use domain::settings::OVN;
use domain::versions::{CatalogueVersion, Support};
use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// kubeadm refuses a master with less.
const LEAST_VCPUS: u32 = 2;
const LEAST_RAM_MIB: u32 = 1700;
/// The property of an image that names the Kubernetes it holds.
const VERSION_PROPERTY: &str = "kcs_kubernetes_version";
const CREDENTIAL: &str = "kcs-check-cloud";

#[derive(clap::Args)]
pub struct Options {
    /// Configuration file; the environment (KCS_…) wins over it
    #[arg(long, env = "KCS_CONFIG")]
    config: Option<PathBuf>,
    /// An entry of clouds.yaml, as `kcs dev --cloud` takes it, instead of a configuration
    #[arg(long, conflicts_with = "config")]
    cloud: Option<String>,
    /// Id of a tenant's project: makes KCS's service user there, and an application credential that is deleted again
    #[arg(long)]
    project: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Ok,
    /// Something will not work; the rest will.
    Warning,
    Missing,
}

/// One thing looked at.
#[derive(Debug)]
struct Line {
    level: Level,
    what: String,
    found: String,
    remedy: String,
}

fn ok(what: &str, found: impl Into<String>) -> Line {
    Line { level: Level::Ok, what: what.to_owned(), found: found.into(), remedy: String::new() }
}

fn warning(what: &str, found: impl Into<String>, remedy: impl Into<String>) -> Line {
    Line { level: Level::Warning, what: what.to_owned(), found: found.into(), remedy: remedy.into() }
}

fn missing(what: &str, found: impl Into<String>, remedy: impl Into<String>) -> Line {
    Line { level: Level::Missing, what: what.to_owned(), found: found.into(), remedy: remedy.into() }
}

fn refused(what: &str, error: &CloudError, remedy: &str) -> Line {
    missing(what, error.to_string(), remedy)
}

/// Looks at everything and prints it.
///
/// # Errors
/// When the configuration cannot be read, or something is missing.
pub async fn check_cloud(options: Options) -> Result<(), Box<dyn Error>> {
    let config = configuration(&options)?;
    let lines = look(&config, options.project.as_deref()).await?;
    let mut text = String::new();
    for line in &lines {
        let level = match line.level {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Missing => "MISSING",
        };
        text.push_str(&format!("{level:<8} {:<24} {}\n", line.what, line.found));
        if !line.remedy.is_empty() {
            text.push_str(&format!("{:<33} → {}\n", "", line.remedy));
        }
    }
    crate::cli::say(&text)?;
    match lines.iter().filter(|line| line.level == Level::Missing).count() {
        0 => Ok(()),
        count => Err(format!("{count} of {} things are missing", lines.len()).into()),
    }
}

fn configuration(options: &Options) -> Result<Config, Box<dyn Error>> {
    let Some(entry) = &options.cloud else {
        return Ok(Config::load(options.config.as_deref(), std::env::vars())?);
    };
    let listen = SocketAddr::from(([127, 0, 0, 1], 8080));
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 8443));
    let node_address = clouds_yaml::way_to(entry).unwrap_or(nowhere.ip());
    let mut tree = dev_config::tree(listen, nowhere, node_address, Path::new(".kcs"), "postgres://unused", clouds_yaml::entry(entry)?)?;
    Config::lay_sections_over(&mut tree, std::env::vars())?;
    Ok(Config::from_value(tree)?)
}

async fn look(config: &Config, project: Option<&str>) -> Result<Vec<Line>, Box<dyn Error>> {
    let identity = serve::openstack(config, serve::manners(config))?;
    let mut lines = Vec::new();
    let Some(token) = service_account(config, &identity, &mut lines).await else { return Ok(lines) };
    let cloud = identity.as_token(&token);
    compute(config, &cloud, &mut lines).await;
    images(config, &cloud, &mut lines).await;
    volumes(&cloud, &mut lines).await;
    network(&cloud, &mut lines).await;
    load_balancers(config, &cloud, &mut lines).await;
    for scope in config.access.wide_scopes() {
        lines.push(operators(scope, identity.wide_roles(&token.info.user_id, scope).await));
    }
    lines.push(endpoint(config));
    match project {
        Some(project) => tenant(&identity, project, &mut lines).await,
        None => lines.push(warning("tenant", "not looked at", "name a tenant's project with --project to prove that clusters get their credential")),
    }
    Ok(lines)
}

/// Signs the service account in. Without it there is nothing more to ask.
async fn service_account(config: &Config, identity: &impl Identity, lines: &mut Vec<Line>) -> Option<Token> {
    let account = &config.cloud;
    let unscoped = match identity.sign_in(&account.user_name, &account.domain, &account.password, None).await {
        Ok(SignedIn::Token(token)) => token,
        Ok(SignedIn::PasscodeWanted) => {
            lines.push(missing(
                "Keystone",
                "it wants a passcode of the service account",
                "a service account has nobody to type one: take its multi_factor_auth_rules away",
            ));
            return None;
        }
        Err(error) => {
            lines.push(refused("Keystone", &error, "see cloud.auth_url, cloud.user_name, cloud.password, cloud.domain, cloud.ca_file"));
            return None;
        }
    };
    lines.push(ok("Keystone", format!("{} as {}", account.auth_url, account.user_name)));
    let projects = match identity.projects(&unscoped.secret).await {
        Ok(projects) => projects,
        Err(error) => {
            lines.push(refused("service project", &error, "the service account must be able to list its projects"));
            return None;
        }
    };
    let Some(project) = projects.into_iter().find(|p| p.name == account.project) else {
        let remedy = format!("openstack role add --user {} --project {} admin", account.user_name, account.project);
        lines.push(missing("service project", format!("{} has no role in project {}", account.user_name, account.project), remedy));
        return None;
    };
    let token = match identity.rescope(&unscoped.secret, &project.id).await {
        Ok(token) => token,
        Err(error) => {
            lines.push(refused("service project", &error, "the service account must be able to enter its project"));
            return None;
        }
    };
    lines.push(service_roles(&account.user_name, &account.project, &token.info.roles));
    Some(token)
}

fn service_roles(user: &str, project: &str, roles: &[String]) -> Line {
    let found = format!("{project}: {}", roles.join(", "));
    if roles.iter().any(|role| role == "admin") {
        return ok("service account's roles", found);
    }
    let remedy = format!("it makes a service user in each tenant's project: openstack role add --user {user} --project {project} admin");
    missing("service account's roles", found, remedy)
}

async fn compute(config: &Config, cloud: &Cloud, lines: &mut Vec<Line>) {
    let nova = "see the endpoint of type compute in Keystone's catalogue, and nova-api";
    match cloud.compute.flavors().await {
        Ok(flavors) => lines.extend(judge_flavors(config, &flavors)),
        Err(error) => lines.push(refused("Nova", &error, nova)),
    }
    match cloud.compute.zones().await {
        Ok(zones) => {
            let up: Vec<&str> = zones.iter().filter(|z| z.available).map(|z| z.name.as_str()).collect();
            lines.push(match up.len() {
                0 => missing("availability zones", "none is available", "see `openstack compute service list`: no host takes servers"),
                1 | 2 => {
                    warning("availability zones", up.join(", "), "three masters in fewer than three zones: the loss of one may stop a cluster's API")
                }
                _ => ok("availability zones", up.join(", ")),
            });
        }
        Err(error) => lines.push(refused("availability zones", &error, nova)),
    }
    // The call asks for the microversion that server groups are made with.
    match cloud.compute.server_groups().await {
        Ok(_) => lines.push(ok("server groups", "Nova takes the microversion of soft anti-affinity")),
        Err(error) => lines.push(refused("server groups", &error, "Nova must know microversion 2.67 (Stein)")),
    }
}

/// Flavors named by templates must be there; one at least must be enough for a master.
fn judge_flavors(config: &Config, flavors: &[Flavor]) -> Vec<Line> {
    let mut lines = Vec::new();
    let fit = flavors.iter().filter(|f| f.vcpus >= LEAST_VCPUS && f.ram_mib >= LEAST_RAM_MIB).count();
    lines.push(if fit == 0 {
        missing("flavors", format!("{}, none with 2 vCPUs and 2 GiB", flavors.len()), "kubeadm refuses smaller masters: openstack flavor create")
    } else {
        ok("flavors", format!("{}, of them {fit} for masters", flavors.len()))
    });
    for template in &config.templates {
        let pools = template.spec.node_pools.iter().flatten().map(|pool| pool.flavor.as_str());
        let mut absent: Vec<&str> =
            template.spec.control_plane.flavor.as_deref().into_iter().chain(pools).filter(|n| !flavors.iter().any(|f| f.name == *n)).collect();
        absent.sort_unstable();
        absent.dedup();
        if !absent.is_empty() {
            let what = format!("template {}", template.id);
            lines.push(missing(&what, format!("no flavor {}", absent.join(", ")), "make the flavor, or change the template"));
        }
    }
    lines
}

async fn images(config: &Config, cloud: &Cloud, lines: &mut Vec<Line>) {
    match cloud.images.images().await {
        Ok(images) => lines.extend(config.versions.iter().map(|version| judge_image(version, &images))),
        Err(error) => lines.push(refused("Glance", &error, "see the endpoint of type image in Keystone's catalogue")),
    }
}

fn judge_image(version: &CatalogueVersion, images: &[Image]) -> Line {
    let what = format!("image of {}", version.version);
    let named: Vec<&Image> = images.iter().filter(|image| image.name == version.image).collect();
    let absent = if version.support == Support::Current { missing } else { warning };
    let [image] = named.as_slice() else {
        let found = if named.is_empty() { format!("no image {}", version.image) } else { format!("{} images {}", named.len(), version.image) };
        return absent(&what, found.as_str(), "upload a node image of this name, public or shared with all tenants (docs/operations.md)");
    };
    let holds = image.properties.get(VERSION_PROPERTY).map_or("", String::as_str);
    if holds != version.version {
        let remedy = format!("openstack image set --property {VERSION_PROPERTY}={} {}, if that is what it holds", version.version, image.name);
        return missing(&what, format!("{} says {holds:?}", image.name), remedy);
    }
    if image.status != "active" {
        return absent(&what, format!("{} is {}", image.name, image.status).as_str(), "wait until it is active");
    }
    ok(&what, format!("{}, at least {} GiB", image.name, image.min_disk_gib))
}

async fn volumes(cloud: &Cloud, lines: &mut Vec<Line>) {
    let cinder = "see the endpoint of type block-storage (or volumev3) in Keystone's catalogue";
    match cloud.volumes.volume_types().await {
        Ok(types) if types.is_empty() => lines.push(missing("volume types", "none", "openstack volume type create")),
        Ok(types) => {
            let names: Vec<&str> = types.iter().map(|t| t.name.as_str()).collect();
            lines.push(if types.iter().any(|t| t.default) {
                ok("volume types", names.join(", "))
            } else {
                warning("volume types", names.join(", "), "none is Cinder's default: set default_volume_type")
            });
        }
        Err(error) => lines.push(refused("Cinder", &error, cinder)),
    }
    if let (Ok(of_servers), Ok(of_volumes)) = tokio::join!(cloud.compute.zones(), cloud.volumes.zones()) {
        lines.push(judge_zones(&of_servers, &of_volumes));
    }
}

/// Volumes are made in the zones of their servers, as far as they have zones of these names.
fn judge_zones(of_servers: &[Zone], of_volumes: &[Zone]) -> Line {
    let what = "zones of volumes";
    let names = |zones: &[Zone]| zones.iter().filter(|z| z.available).map(|z| z.name.clone()).collect::<Vec<_>>();
    let (servers, volumes) = (names(of_servers), names(of_volumes));
    if servers.iter().all(|zone| volumes.contains(zone)) {
        return ok(what, volumes.join(", "));
    }
    let remedy =
        "Cinder has not all of Nova's zones, and chooses itself for nodes of the others: Nova must not have [cinder] cross_az_attach = false";
    warning(what, volumes.join(", "), remedy)
}

async fn network(cloud: &Cloud, lines: &mut Vec<Line>) {
    match cloud.network.external_networks().await {
        Ok(nets) if nets.is_empty() => {
            lines.push(missing("external network", "none", "openstack network create --external: routers and public addresses need one"));
        }
        Ok(nets) => lines.push(ok("external network", nets.into_iter().map(|n| n.name).collect::<Vec<_>>().join(", "))),
        Err(error) => lines.push(refused("Neutron", &error, "see the endpoint of type network in Keystone's catalogue")),
    }
}

async fn load_balancers(config: &Config, cloud: &Cloud, lines: &mut Vec<Line>) {
    let Some(octavia) = &cloud.load_balancers else {
        lines.push(missing("Octavia", "Keystone's catalogue has no load-balancer service", "clusters' APIs and LoadBalancer Services need it"));
        return;
    };
    match octavia.providers().await {
        Ok(providers) => lines.push(providers_line(config.cloud.load_balancer_provider.as_deref(), &providers)),
        Err(error) => lines.push(refused("Octavia", &error, "give the service account load-balancer_admin or load-balancer_member in its project")),
    }
}

/// What is known of the provider that will stand behind load balancers. Octavia names those it has, and not which one is its default.
fn providers_line(named: Option<&str>, providers: &[String]) -> Line {
    let offered = format!("providers: {}", providers.join(", "));
    let has = |name: &str| providers.iter().any(|p| p == name);
    match named {
        Some(wanted) if !has(wanted) => missing("Octavia", offered, format!("cloud.load_balancer_provider is {wanted}")),
        Some(OVN) => warning("Octavia", offered, BY_OVN),
        None if has(OVN) && providers.len() == 1 => warning("Octavia", offered, BY_OVN),
        None if has(OVN) => warning("Octavia", offered, DEFAULT_UNKNOWN),
        _ => ok("Octavia", offered),
    }
}

const BY_OVN: &str = "ovn lets everybody connect: no API can be restricted to ranges. Members see clients' own addresses: whether they get through to node ports, \
    which the cloud controller opens by security groups, is not checked here";
const DEFAULT_UNKNOWN: &str = "ovn is among them, and whether it is the default cannot be seen: load balancers are made step by step, and a restricted API fails \
    behind it. Name cloud.load_balancer_provider";

/// Whether it can be seen who is an operator by a role in a scope.
fn operators(scope: &WideScope, listed: cloud::Result<Vec<String>>) -> Line {
    let what = format!("operators of the {scope}");
    match listed {
        Ok(_) => ok(&what, "role assignments can be listed"),
        Err(error) => {
            refused(&what, &error, "access.operators names it: let the service account list role assignments there, or nobody is an operator by one")
        }
    }
}

fn endpoint(config: &Config) -> Line {
    let url = &config.nodes.endpoint;
    let loopback = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(url::Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => true,
    };
    if loopback {
        return missing(
            "nodes.endpoint",
            url.to_string(),
            "no node reaches that: an address of the TLS listener that tenants' networks are routed to",
        );
    }
    ok("nodes.endpoint", format!("{url}; whether nodes reach it shows with the first one"))
}

/// Makes the service user of a project and a credential, asks each service with it, and deletes the credential.
async fn tenant(identity: &impl Identity, project: &str, lines: &mut Vec<Line>) {
    let name = domain::names::service_user(&domain::ids::TenantId(project.to_owned()));
    let user = match identity.ensure_service_user(&name, project).await {
        Ok(user) => user,
        Err(error) => return lines.push(refused("service user", &error, "the service account must be admin of the domain cloud.tenant_domain")),
    };
    lines.push(ok("service user", name));
    lines.push(match identity.standing(&user.user_id, project).await {
        Ok(Some(standing)) => ok("people", format!("roles can be read: {}", standing.roles.join(", "))),
        Ok(None) => missing("people", "the service user is not seen in its project".to_owned(), "see that the project is enabled"),
        Err(error) => refused("people", &error, "the service account must be allowed to read users, projects, domains and role assignments"),
    });
    // One that an earlier run left.
    for (id, name, _) in identity.application_credentials(&user, project).await.unwrap_or_default() {
        if name == CREDENTIAL {
            drop(identity.delete_application_credential(&user, project, &id).await);
        }
    }
    let credential = match identity.create_application_credential(&user, project, CREDENTIAL, "made and deleted by kcs check-cloud").await {
        Ok(credential) => credential,
        Err(error) => return lines.push(refused("application credential", &error, "Keystone's auth methods must include application_credential")),
    };
    lines.push(ok("application credential", "made"));
    let cloud = identity.as_credential(&credential);
    quotas(&cloud, project, lines).await;
    let deleted = identity.delete_application_credential(&user, project, &credential.id).await;
    if let Err(error) = deleted {
        lines.push(refused("application credential", &error, &format!("delete {CREDENTIAL} by hand")));
    }
}

async fn quotas(cloud: &Cloud, project: &str, lines: &mut Vec<Line>) {
    match cloud.compute.limits().await {
        Ok(l) => lines.extend([quota("instances", &l.instances, 3), quota("vCPUs", &l.vcpus, 6), quota("MiB of memory", &l.ram_mib, 12 * 1024)]),
        Err(error) => lines.push(refused("quota of Nova", &error, "the role member must allow it")),
    }
    match cloud.volumes.limits(project).await {
        Ok(l) => lines.extend([quota("volumes", &l.volumes, 3), quota("GiB of volumes", &l.gigabytes, 60)]),
        Err(error) => lines.push(refused("quota of Cinder", &error, "the role member must allow it")),
    }
    match cloud.network.limits(project).await {
        Ok(l) => lines.extend([
            quota("networks", &l.networks, 1),
            quota("routers", &l.routers, 1),
            quota("ports", &l.ports, 6),
            quota("floating IPs", &l.floating_ips, 1),
            quota("security groups", &l.security_groups, 2),
        ]),
        Err(error) => lines.push(refused("quota of Neutron", &error, "the role member must allow it")),
    }
    if let Some(octavia) = &cloud.load_balancers {
        match octavia.load_balancers().await {
            Ok(_) => lines.push(ok("tenant's Octavia", "its service user may use it")),
            // Said already.
            Err(error) if error.kind == CloudErrorKind::Unsupported => {}
            Err(error) => lines.push(refused("tenant's Octavia", &error, "make the role load-balancer_member: KCS gives it to the service users")),
        }
    }
}

/// `need`: what one small cluster, a master and two workers, takes.
fn quota(what: &str, limit: &Limit, need: u64) -> Line {
    let name = format!("quota of {what}");
    match limit.limit {
        None => ok(&name, format!("{} used, no limit", limit.used)),
        Some(most) if most.saturating_sub(limit.used) < need => {
            warning(&name, format!("{} of {most} used", limit.used), format!("a small cluster needs {need}: openstack quota set"))
        }
        Some(most) => ok(&name, format!("{} of {most} used", limit.used)),
    }
}

#[cfg(test)]
#[path = "check_cloud_tests.rs"]
mod tests;
