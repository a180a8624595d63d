//! Security groups and their rules. Every project has a group `default`; every new group lets everything out.

use super::{Common, known, missing, own, own_mut, quotas, required, resource, wrapped};
use crate::http::{Answer, Call, Failure, Reply, text};
use crate::state::State;
use crate::table::{Grouped, grouped, page};
use http::Method;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Group {
    pub common: Common,
}
resource!(Group);

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub common: Common,
    pub group_id: String,
    pub direction: String,
    pub ethertype: String,
    pub protocol: Option<String>,
    pub ports: Option<(i64, i64)>,
    pub remote_ip_prefix: Option<String>,
    pub remote_group_id: Option<String>,
}
resource!(Rule, "security_group_id" => group_id, "direction" => direction);

impl Rule {
    fn same(&self, other: &Self) -> bool {
        // 0.0.0.0/0 and no prefix are the same to Neutron.
        let prefix = |r: &Self| r.remote_ip_prefix.clone().filter(|p| p != "0.0.0.0/0" && p != "::/0");
        self.group_id == other.group_id
            && self.direction == other.direction
            && self.ethertype == other.ethertype
            && self.protocol == other.protocol
            && self.ports == other.ports
            && self.remote_group_id == other.remote_group_id
            && prefix(self) == prefix(other)
    }
}

fn rule_view(rule: &Rule) -> Value {
    let mut body = rule.common.fill(json!({
        "security_group_id": rule.group_id, "direction": rule.direction, "ethertype": rule.ethertype, "protocol": rule.protocol,
        "port_range_min": rule.ports.map(|p| p.0), "port_range_max": rule.ports.map(|p| p.1), "remote_ip_prefix": rule.remote_ip_prefix,
        "normalized_cidr": rule.remote_ip_prefix, "remote_group_id": rule.remote_group_id, "remote_address_group_id": null,
        "belongs_to_default_sg": false,
    }));
    if let Value::Object(map) = &mut body {
        map.remove("name");
        map.remove("tags");
    }
    body
}

fn view(rules: &Grouped<'_, Rule>, group: &Group) -> Value {
    let rules: Vec<Value> = rules.get(group.common.id.as_str()).into_iter().flatten().map(|rule| rule_view(rule)).collect();
    group.common.fill(json!({"security_group_rules": rules, "stateful": true, "shared": false}))
}

fn rules_by_group(state: &State) -> Grouped<'_, Rule> {
    grouped(&state.network.rules, |rule| Some(&rule.group_id))
}

fn insert_rule(state: &mut State, project: &str, group: &str, direction: &str, ethertype: &str, remote_group: Option<&str>) {
    let rule = Rule {
        common: Common::new(state, project, "", ""),
        group_id: group.to_owned(),
        direction: direction.to_owned(),
        ethertype: ethertype.to_owned(),
        protocol: None,
        ports: None,
        remote_ip_prefix: None,
        remote_group_id: remote_group.map(str::to_owned),
    };
    state.network.rules.insert(rule.common.id.clone(), rule);
}

/// The project's group `default`, made when it is first needed.
pub(crate) fn default_group(state: &mut State, project: &str) -> String {
    let found = state.network.groups.values().find(|g| g.common.project_id == project && g.common.name == "default");
    if let Some(group) = found {
        return group.common.id.clone();
    }
    let group = Group { common: Common::new(state, project, "default", "Default security group") };
    let id = group.common.id.clone();
    state.network.groups.insert(id.clone(), group);
    for ethertype in ["IPv4", "IPv6"] {
        insert_rule(state, project, &id, "egress", ethertype, None);
        insert_rule(state, project, &id, "ingress", ethertype, Some(&id));
    }
    id
}

pub(super) fn serve(state: &mut State, call: &Call<'_>) -> Answer {
    match (call.method, call.path) {
        (&Method::GET, [_]) => {
            default_group(state, &call.actor.project_id);
            let rows = state.network.groups.values().filter(|g| call.actor.sees(&g.common.project_id));
            let rules = rules_by_group(state);
            page(call, "security_groups", rows, |g| view(&rules, g))
        }
        (&Method::GET, [_, id]) => {
            let group = own(&state.network.groups, call, "SecurityGroup", id)?;
            Ok(wrapped(200, "security_group", view(&rules_by_group(state), group)))
        }
        (&Method::POST, [_]) => create(state, call),
        (&Method::PUT, [_, id]) => update(state, call, id),
        (&Method::DELETE, [_, id]) => delete(state, call, id),
        _ => Err(Failure::no_route()),
    }
}

fn create(state: &mut State, call: &Call<'_>) -> Answer {
    call.writer("create_security_group")?;
    let given = call.object("security_group")?;
    known(given, &["stateful"])?;
    default_group(state, &call.actor.project_id);
    if text(given, "name") == Some("default") {
        return Err(Failure::new(409, "SecurityGroupDefaultAlreadyExists", "Default security group already exists."));
    }
    let common = Common::from_call(state, call, given)?;
    quotas::check(state, &common.project_id, "security_group", 1)?;
    let (id, project) = (common.id.clone(), common.project_id.clone());
    state.network.groups.insert(id.clone(), Group { common });
    insert_rule(state, &project, &id, "egress", "IPv4", None);
    insert_rule(state, &project, &id, "egress", "IPv6", None);
    let group = own(&state.network.groups, call, "SecurityGroup", &id)?;
    Ok(wrapped(201, "security_group", view(&rules_by_group(state), group)))
}

fn update(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.writer("update_security_group")?;
    let given = call.object("security_group")?;
    known(given, &["stateful"])?;
    let now = state.clock.seconds_z();
    own_mut(&mut state.network.groups, call, "SecurityGroup", id)?.common.update(given, &now)?;
    let group = own(&state.network.groups, call, "SecurityGroup", id)?;
    Ok(wrapped(200, "security_group", view(&rules_by_group(state), group)))
}

fn delete(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.writer("delete_security_group")?;
    let group = own(&state.network.groups, call, "SecurityGroup", id)?;
    if group.common.name == "default" && !call.actor.admin {
        return Err(Failure::new(409, "SecurityGroupCannotRemoveDefault", "Insufficient rights for removing default security group."));
    }
    if state.network.ports.values().any(|p| p.security_groups.iter().any(|g| g == id)) {
        return Err(Failure::new(409, "SecurityGroupInUse", format!("Security Group {id} in use.")));
    }
    state.network.groups.shift_remove(id);
    // Rules that name it as their remote group go with it: the database cascades.
    state.network.rules.retain(|_, rule| rule.group_id != id && rule.remote_group_id.as_deref() != Some(id));
    Ok(Reply::empty(204))
}

pub(super) fn serve_rules(state: &mut State, call: &Call<'_>) -> Answer {
    match (call.method, call.path) {
        (&Method::GET, [_]) => {
            let rows = state.network.rules.values().filter(|r| call.actor.sees(&r.common.project_id));
            page(call, "security_group_rules", rows, rule_view)
        }
        (&Method::GET, [_, id]) => Ok(wrapped(200, "security_group_rule", rule_view(own(&state.network.rules, call, "SecurityGroupRule", id)?))),
        (&Method::POST, [_]) => create_rules(state, call),
        (&Method::DELETE, [_, id]) => {
            call.writer("delete_security_group_rule")?;
            own(&state.network.rules, call, "SecurityGroupRule", id)?;
            state.network.rules.shift_remove(*id);
            Ok(Reply::empty(204))
        }
        _ => Err(Failure::no_route()),
    }
}

/// One rule, or many at once: all are made or none.
fn create_rules(state: &mut State, call: &Call<'_>) -> Answer {
    call.writer("create_security_group_rule")?;
    let Some(many) = call.body.get("security_group_rules").and_then(Value::as_array) else {
        let rule = read_rule(state, call, call.object("security_group_rule")?)?;
        quotas::check(state, &rule.common.project_id, "security_group_rule", 1)?;
        unique(state, &rule, &[])?;
        let body = rule_view(&rule);
        state.network.rules.insert(rule.common.id.clone(), rule);
        return Ok(wrapped(201, "security_group_rule", body));
    };
    quotas::check(state, &call.actor.project_id, "security_group_rule", i64::try_from(many.len()).unwrap_or(i64::MAX))?;
    let mut rules: Vec<Rule> = Vec::new();
    for given in many {
        let given = given.as_object().ok_or_else(|| Failure::bad("Invalid request body"))?;
        let rule = read_rule(state, call, given)?;
        unique(state, &rule, &rules)?;
        rules.push(rule);
    }
    let body: Vec<Value> = rules.iter().map(rule_view).collect();
    state.network.rules.extend(rules.into_iter().map(|rule| (rule.common.id.clone(), rule)));
    Ok(wrapped(201, "security_group_rules", json!(body)))
}

fn unique(state: &State, rule: &Rule, batch: &[Rule]) -> Result<(), Failure> {
    if let Some(found) = state.network.rules.values().find(|r| r.same(rule)) {
        let message = format!("Security group rule already exists. Rule id is {}.", found.common.id);
        return Err(Failure::new(409, "SecurityGroupRuleExists", message));
    }
    if batch.iter().any(|r| r.same(rule)) {
        return Err(Failure::new(409, "DuplicateSecurityGroupRuleInPost", "Duplicate Security Group Rule in POST."));
    }
    Ok(())
}

fn one_of(key: &str, value: &str, allowed: &[&str]) -> Result<(), Failure> {
    if allowed.contains(&value) {
        return Ok(());
    }
    let list: Vec<String> = allowed.iter().map(|a| format!("'{a}'")).collect();
    Err(Failure::bad(format!("Invalid input for {key}. Reason: '{value}' is not in [{}].", list.join(", "))))
}

fn read_rule(state: &mut State, call: &Call<'_>, given: &Map<String, Value>) -> Result<Rule, Failure> {
    known(
        given,
        &[
            "security_group_id",
            "direction",
            "ethertype",
            "protocol",
            "port_range_min",
            "port_range_max",
            "remote_ip_prefix",
            "remote_group_id",
            "remote_address_group_id",
        ],
    )?;
    let group_id = required(given, "security_group_id")?.to_owned();
    own(&state.network.groups, call, "SecurityGroup", &group_id)?;
    let direction = required(given, "direction")?.to_owned();
    one_of("direction", &direction, &["ingress", "egress"])?;
    let ethertype = text(given, "ethertype").unwrap_or("IPv4").to_owned();
    one_of("ethertype", &ethertype, &["IPv4", "IPv6"])?;
    let protocol = protocol(given)?;
    let ports = port_range(given, protocol.as_deref())?;
    let remote_ip_prefix = text(given, "remote_ip_prefix").map(str::to_owned);
    if let Some(prefix) = &remote_ip_prefix {
        prefix.parse::<IpNet>().map_err(|_| Failure::new(400, "InvalidCIDR", format!("Invalid CIDR {prefix} given as IP prefix.")))?;
    }
    let remote_group_id = text(given, "remote_group_id").map(str::to_owned);
    if let Some(remote) = &remote_group_id {
        state.network.groups.get(remote).ok_or_else(|| missing("SecurityGroup", remote))?;
        if remote_ip_prefix.is_some() {
            return Err(Failure::new(
                400,
                "SecurityGroupMultipleRemoteEntites",
                "Only one of remote_ip_prefix, remote_group_id or remote_address_group_id may be provided.",
            ));
        }
    }
    let common = Common::from_call(state, call, given)?;
    Ok(Rule { common, group_id, direction, ethertype, protocol, ports, remote_ip_prefix, remote_group_id })
}

/// A protocol by name or number; `any` and null are the same.
fn protocol(given: &Map<String, Value>) -> Result<Option<String>, Failure> {
    const NAMES: [&str; 22] = [
        "ah",
        "dccp",
        "egp",
        "esp",
        "gre",
        "hopopt",
        "icmp",
        "igmp",
        "ip",
        "ipip",
        "ipv6-encap",
        "ipv6-frag",
        "ipv6-icmp",
        "icmpv6",
        "ospf",
        "pgm",
        "rsvp",
        "sctp",
        "tcp",
        "udp",
        "udplite",
        "vrrp",
    ];
    let text = match given.get("protocol") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(n)) => n.to_string(),
        Some(Value::String(s)) if s == "any" => return Ok(None),
        Some(Value::String(s)) => s.to_ascii_lowercase(),
        Some(other) => other.to_string(),
    };
    if NAMES.contains(&text.as_str()) || text.parse::<u8>().is_ok() {
        return Ok(Some(text));
    }
    let message = format!(
        "Security group rule protocol {text} not supported. Only protocol values {NAMES:?} and integer representations [0 to 255] are supported."
    );
    Err(Failure::new(400, "SecurityGroupRuleInvalidProtocol", message))
}

fn port_range(given: &Map<String, Value>, protocol: Option<&str>) -> Result<Option<(i64, i64)>, Failure> {
    let port = |key: &str| given.get(key).filter(|v| !v.is_null()).map(|v| v.as_i64().or_else(|| v.as_str()?.parse().ok()));
    let (min, max) = match (port("port_range_min"), port("port_range_max")) {
        (None, None) => return Ok(None),
        (Some(Some(min)), Some(Some(max))) => (min, max),
        _ => return Err(Failure::new(400, "SecurityGroupInvalidPortValue", "Invalid value for port")),
    };
    let Some(protocol) = protocol else {
        return Err(Failure::new(400, "SecurityGroupProtocolRequiredWithPorts", "Must also specify protocol if port range is given."));
    };
    if !(0..=65535).contains(&min) || !(0..=65535).contains(&max) {
        return Err(Failure::new(400, "SecurityGroupInvalidPortValue", format!("Invalid value for port {min}")));
    }
    if matches!(protocol, "tcp" | "udp" | "6" | "17") && min > max {
        return Err(Failure::new(400, "SecurityGroupInvalidPortRange", "For TCP/UDP protocols, port_range_min must be <= port_range_max"));
    }
    Ok(Some((min, max)))
}
