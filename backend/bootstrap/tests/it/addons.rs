//! The set of add-ons: complete, in order, pinned, told the cluster's own name, and without a secret where none belongs.

use bootstrap::addons::{APPLIED, AddonsInput, CloudConfig, LABEL, Object, VolumeType, addons, images as images_of, version};
use domain::addons::{Addon, AddonsRequest, AddonsSpec};
use domain::ids::ClusterId;
use domain::needs::INGRESS_PORTS;
use ipnet::Ipv4Net;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

const SECRET: &str = "s3cret \"with\\ quotes\nand lines";

fn all() -> AddonsSpec {
    AddonsRequest { ingress: Some(true), isolate_namespaces: Some(true), ..AddonsRequest::default() }.complete()
}

fn objects(spec: &AddonsSpec, registry: Option<&str>, secret: &str) -> Vec<Object> {
    objects_behind(None, spec, registry, secret)
}

/// The same, where Services are balanced by this provider.
fn objects_behind(provider: Option<&str>, spec: &AddonsSpec, registry: Option<&str>, secret: &str) -> Vec<Object> {
    objects_in("v1.36.3", provider, spec, registry, secret)
}

/// The same, in a cluster of this version.
fn objects_in(kubernetes: &str, provider: Option<&str>, spec: &AddonsSpec, registry: Option<&str>, secret: &str) -> Vec<Object> {
    objects_with(0, kubernetes, provider, spec, registry, secret)
}

/// The same, where CoreDNS has so many pods.
fn objects_with(dns_pods: u32, kubernetes: &str, provider: Option<&str>, spec: &AddonsSpec, registry: Option<&str>, secret: &str) -> Vec<Object> {
    let secret = SecretString::from(secret);
    let types = [VolumeType { name: "ssd".to_owned(), default: true }];
    let namespaces = ["default", "kube-system", "team-a"].map(str::to_owned);
    let pod_ranges: BTreeSet<Ipv4Net> = ["10.128.1.0/24", "10.128.4.0/24"].iter().map(|range| range.parse().unwrap()).collect();
    let cloud = CloudConfig {
        auth_url: "https://cloud.example.com/identity/v3",
        region: Some("RegionOne"),
        ca_pem: None,
        credential_id: "cred",
        credential_secret: &secret,
        external_network: "ext",
        subnet: "sub",
        load_balancer_provider: provider,
    };
    let input = AddonsInput {
        cluster: ClusterId(uuid::Uuid::from_u128(7)),
        addons: spec,
        kubernetes,
        pod_cidr: "10.128.0.0/14".parse().unwrap(),
        service_cidr: "10.254.16.0/20".parse().unwrap(),
        api_vip: "10.0.0.5".parse().unwrap(),
        registry,
        cloud: Some(cloud),
        volume_types: &types,
        namespaces: &namespaces,
        pod_ranges: &pod_ranges,
        dns_pods,
    };
    addons(&input).unwrap()
}

fn texts(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|v| texts(v, out)),
        Value::Object(fields) => fields.values().for_each(|v| texts(v, out)),
        _ => {}
    }
}

fn images(objects: &[Object]) -> Vec<String> {
    fn find(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                fields.iter().for_each(|(k, v)| if k == "image" { out.extend(v.as_str().map(str::to_owned)) } else { find(v, out) })
            }
            Value::Array(items) => items.iter().for_each(|v| find(v, out)),
            _ => {}
        }
    }
    let mut out = Vec::new();
    objects.iter().for_each(|o| find(&o.value, &mut out));
    out
}

fn named<'a>(objects: &'a [Object], kind: &str, name: &str) -> &'a Value {
    &objects.iter().find(|o| o.value["kind"] == kind && o.value["metadata"]["name"] == name).unwrap_or_else(|| panic!("no {kind} {name}")).value
}

#[test]
fn they_come_in_the_order_in_which_each_can_work() {
    let objects = objects(&all(), None, SECRET);
    let mut order: Vec<Addon> = objects.iter().map(|o| o.addon).collect();
    order.dedup();
    assert_eq!(order, Addon::ALL);
    let at = |kind: &str, name: &str| objects.iter().position(|o| o.value["kind"] == kind && o.value["metadata"]["name"] == name).unwrap();
    assert!(at("Secret", "cloud-config") < at("DaemonSet", "openstack-cloud-controller-manager"));
    assert!(at("ServiceAccount", "cloud-controller-manager") < at("DaemonSet", "openstack-cloud-controller-manager"));
}

#[test]
fn every_object_is_found_by_its_label_and_says_what_was_applied() {
    let objects = objects(&all(), None, SECRET);
    let mut seen = BTreeSet::new();
    for object in &objects {
        let metadata = &object.value["metadata"];
        assert_eq!(metadata["labels"][LABEL], object.addon.as_str(), "{object:?}");
        assert_eq!(metadata["annotations"][APPLIED].as_str().map(str::len), Some(32), "{object:?}");
        let key = (object.value["kind"].to_string(), metadata["namespace"].to_string(), metadata["name"].to_string());
        assert!(seen.insert(key.clone()), "twice: {key:?}");
    }
    let mut all_texts = Vec::new();
    objects.iter().for_each(|o| texts(&o.value, &mut all_texts));
    assert!(!all_texts.iter().any(|t| t.contains("${")), "a value was not filled in");
}

#[test]
fn images_are_pinned_and_come_from_the_configured_registry() {
    for image in images(&objects(&all(), None, SECRET)) {
        let (_, tag) = image.rsplit_once(':').unwrap();
        assert!(tag.starts_with('v'), "{image}");
        assert!(image.split('/').next().unwrap().contains('.'), "{image} names no registry");
    }
    let mirrored = images(&objects(&all(), Some("registry.example.com/mirror/"), SECRET));
    assert!(mirrored.contains(&"registry.example.com/mirror/sig-storage/csi-provisioner:v5.3.0".to_owned()), "{mirrored:?}");
    assert!(mirrored.iter().all(|i| i.starts_with("registry.example.com/mirror/")), "{mirrored:?}");
    for registry in [None, Some("registry.example.com/mirror/")] {
        let pulled: BTreeSet<String> = images(&objects(&all(), registry, SECRET)).into_iter().collect();
        let told: Vec<String> = Addon::ALL.into_iter().flat_map(|addon| images_of(addon, ["v1.36.3"], registry)).collect();
        // The storage driver's is in two workloads, and told once.
        assert_eq!(told.iter().filter(|image| image.contains("cinder-csi-plugin")).count(), 1);
        assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), pulled);
    }
    assert_eq!(version(Addon::CloudController, None), Some("v1.36.0"));
}

#[test]
fn names_are_resolved_as_kubeadm_would_have_it_by_the_image_that_nodes_hold() {
    let deployment = |kubernetes: &str, registry: Option<&str>| {
        let objects = objects_in(kubernetes, None, &all(), registry, SECRET);
        let image = named(&objects, "Deployment", "coredns")["spec"]["template"]["spec"]["containers"][0]["image"].clone();
        image.as_str().unwrap().to_owned()
    };
    assert_eq!(deployment("v1.36.3", None), "registry.k8s.io/coredns/coredns:v1.14.2");
    assert_eq!(deployment("v1.35.4", None), "registry.k8s.io/coredns/coredns:v1.13.1");
    assert_eq!(deployment("v1.35.4", Some("registry.example.com/mirror")), "registry.example.com/mirror/coredns/coredns:v1.13.1");
    let offered = images_of(Addon::Dns, ["v1.36.3", "v1.36.0", "v1.35.4", "v1.99.0"], None);
    assert_eq!(offered, ["v1.14.2", "v1.13.1"].map(|tag| format!("registry.k8s.io/coredns/coredns:{tag}")));
    assert_eq!([Some("v1.35.4"), Some("v1.99.0"), None].map(|of| version(Addon::Dns, of)), [Some("v1.13.1"), None, None]);

    let objects = objects(&all(), None, SECRET);
    let (service, pods) = (&named(&objects, "Service", "kube-dns")["spec"], &named(&objects, "Deployment", "coredns")["spec"]);
    assert_eq!(service["clusterIP"], "10.254.16.10");
    let selector = json!({"k8s-app": "kube-dns"});
    for selects in [&service["selector"], &pods["selector"]["matchLabels"], &pods["template"]["metadata"]["labels"]] {
        assert_eq!(*selects, selector);
    }
    assert_eq!(pods["replicas"], 2);
    assert_eq!(
        named(&objects, "ClusterRoleBinding", "system:coredns")["roleRef"]["name"],
        named(&objects, "ClusterRole", "system:coredns")["metadata"]["name"]
    );
    let corefile = named(&objects, "ConfigMap", "coredns")["data"]["Corefile"].as_str().unwrap();
    assert!(corefile.contains("kubernetes cluster.local in-addr.arpa ip6.arpa {"), "{corefile}");
}

#[test]
fn core_dns_keeps_the_pods_that_it_was_given_and_has_two_at_least() {
    for (given, kept) in [(0, 2), (1, 2), (2, 2), (8, 8)] {
        let objects = objects_with(given, "v1.36.3", None, &all(), None, SECRET);
        assert_eq!(named(&objects, "Deployment", "coredns")["spec"]["replicas"], kept);
        let others = |objects: Vec<Object>| objects.into_iter().filter(|o| o.value["metadata"]["name"] != "coredns").collect::<Vec<_>>();
        assert!(others(objects) == others(self::objects(&all(), None, SECRET)), "nothing else goes by it");
    }
}

#[test]
fn core_dns_of_a_kubernetes_that_is_not_known_is_left_to_kubeadm() {
    let objects = objects_in("v1.99.0", None, &all(), None, SECRET);
    assert!(!objects.is_empty() && objects.iter().all(|o| o.addon != Addon::Dns));
}

#[test]
fn controllers_know_the_cluster_by_its_own_name() {
    let objects = objects(&all(), None, SECRET);
    let tag = domain::names::cluster_tag(ClusterId(uuid::Uuid::from_u128(7)));
    for (kind, name, flag) in
        [("DaemonSet", "openstack-cloud-controller-manager", "--cluster-name"), ("Deployment", "csi-cinder-controller", "--cluster")]
    {
        let text = named(&objects, kind, name).to_string();
        assert!(text.contains(&format!("\"{flag}={tag}\"")), "{text}");
    }
}

#[test]
fn the_credential_is_in_one_secret_only_and_cannot_leave_its_line() {
    let objects = objects(&all(), None, SECRET);
    let holders: Vec<&Object> = objects.iter().filter(|o| o.value.to_string().contains("s3cret")).collect();
    assert_eq!(holders.len(), 1);
    let conf = holders[0].value["stringData"]["cloud.conf"].as_str().unwrap();
    assert!(conf.contains("application-credential-secret = \"s3cret \\\"with\\\\ quotesand lines\"\n"), "{conf}");
    assert!(!format!("{objects:?}").contains("s3cret"));
    // What mounts it runs on masters.
    for object in objects.iter().filter(|o| o.value["spec"]["template"].to_string().contains("\"secretName\":\"cloud-config\"")) {
        assert!(object.value["spec"]["template"]["spec"]["nodeSelector"].get("node-role.kubernetes.io/control-plane").is_some(), "{object:?}");
    }
}

#[test]
fn behind_ovn_services_are_balanced_as_it_can_and_node_ports_opened_to_their_clients() {
    let lines = |provider: Option<&str>| {
        let objects = objects_behind(provider, &all(), None, SECRET);
        let holder = objects.iter().find(|o| o.value["metadata"]["name"] == "cloud-config").unwrap();
        let text = holder.value["stringData"]["cloud.conf"].as_str().unwrap().to_owned();
        let section = text.split("[LoadBalancer]\n").nth(1).unwrap().split('[').next().unwrap().to_owned();
        ["lb-provider = ", "lb-method = ", "manage-security-groups = "]
            .map(|key| section.lines().find_map(|l| l.strip_prefix(key)).map(str::to_owned))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(lines(Some("ovn")), [some("\"ovn\""), some("\"SOURCE_IP_PORT\""), some("true")]);
    assert_eq!(lines(Some("f5")), [some("\"f5\""), None, None]);
    assert_eq!(lines(None), [None, None, None]);
}

#[test]
fn another_credential_restarts_what_uses_it_and_nothing_else() {
    let (old, new) = (objects(&all(), None, "one"), objects(&all(), None, "two"));
    let changed: Vec<String> =
        old.iter().zip(&new).filter(|(a, b)| a != b).map(|(a, _)| a.value["metadata"]["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(changed, ["cloud-config", "openstack-cloud-controller-manager", "csi-cinder-controller"]);
}

#[test]
fn isolation_reaches_every_namespace_of_the_tenant_and_none_of_the_system() {
    let objects = objects(&all(), None, SECRET);
    let of: BTreeSet<String> = objects
        .iter()
        .filter(|o| o.value["kind"] == "NetworkPolicy")
        .map(|o| o.value["metadata"]["namespace"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(of, ["default", "team-a"].map(str::to_owned).into());
    let policy = named(&objects, "NetworkPolicy", "kcs-no-metadata").to_string();
    assert!(policy.contains("169.254.169.254/32"), "{policy}");
}

#[test]
fn a_namespace_kept_apart_is_open_to_its_own_to_the_system_and_to_all_that_is_no_pod() {
    let objects = objects(&all(), None, SECRET);
    let policy = named(&objects, "NetworkPolicy", "kcs-own-namespace");
    let from = policy["spec"]["ingress"][0]["from"].as_array().unwrap();
    let selectors: Vec<&Value> = from.iter().filter(|peer| peer.get("ipBlock").is_none()).collect();
    let system = json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}});
    assert_eq!(selectors, [&json!({"podSelector": {}}), &system]);
    let within = |range: &Value, address: Ipv4Addr| range.as_str().unwrap().parse::<Ipv4Net>().unwrap().contains(&address);
    let lets_in = |address: &str| {
        let address: Ipv4Addr = address.parse().unwrap();
        let except = |block: &Value| block["except"].as_array().is_some_and(|all| all.iter().any(|range| within(range, address)));
        from.iter().filter_map(|peer| peer.get("ipBlock")).any(|block| within(&block["cidr"], address) && !except(block))
    };
    // Somebody outside, whose address a load balancer keeps; a node; nodes as others' pods see them.
    for address in ["198.51.100.7", "10.0.0.5", "10.128.1.0", "10.128.4.0", "10.128.4.1"] {
        assert!(lets_in(address), "{address}");
    }
    // Pods, which only the selectors let in, and ranges that no node has.
    for address in ["10.128.1.2", "10.128.4.255", "10.128.2.0", "10.131.255.255"] {
        assert!(!lets_in(address), "{address}");
    }
}

#[test]
fn ingress_asks_the_cloud_for_what_plans_count() {
    let objects = objects(&all(), None, SECRET);
    let balanced: Vec<&Object> = objects.iter().filter(|o| o.value["kind"] == "Service" && o.value["spec"]["type"] == "LoadBalancer").collect();
    assert_eq!(balanced.iter().map(|o| o.addon).collect::<Vec<_>>(), [Addon::Ingress]);
    assert_eq!(balanced[0].value["spec"]["ports"].as_array().unwrap().len(), usize::try_from(INGRESS_PORTS).unwrap());
    let conf = named(&objects, "Secret", "cloud-config")["stringData"]["cloud.conf"].as_str().unwrap().to_owned();
    assert!(conf.contains("create-monitor = true") && conf.contains("floating-network-id = \"ext\""), "a monitor each, and an address");
}

#[test]
fn what_is_not_wanted_is_not_there() {
    let spec = AddonsRequest { cloud_controller: Some(false), storage: Some(false), ..AddonsRequest::default() }.complete();
    let objects = objects(&spec, None, SECRET);
    assert!(objects.iter().all(|o| matches!(o.addon, Addon::PodNetwork | Addon::Dns | Addon::Metrics)));
    assert!(objects.iter().all(|o| o.value["kind"] != "Secret"));
}
